import type { Provider } from '../provider.ts';
import { github } from './github.ts';

/** Users of a GitHub App: a refresh ends the old access token, too, and permissions stand in place of scopes. */
export const githubAppUser: Provider = {
  ...github,
  id: 'github-app-user',
  name: 'GitHub App, for a user',
  docsUrl:
    'https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens',
  unverified: ['account', 'pkce'],
  note: 'Tokens expire unless the app switches that off: “User-to-server token expiration”.',
};
