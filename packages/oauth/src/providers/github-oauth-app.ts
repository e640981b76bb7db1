import type { Provider } from '../provider.ts';
import { github } from './github.ts';

/** OAuth apps: their tokens do not expire, and there is none to refresh them with. */
export const githubOauthApp: Provider = {
  ...github,
  id: 'github-oauth-app',
  name: 'GitHub OAuth app',
  docsUrl: 'https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps',
  // Told of tokens that expire, and these do not.
  refreshTokenIdleLifetime: undefined,
  unverified: ['account', 'pkce', 'injection'],
  note: 'Ten tokens live for a user, app and set of scopes: the eleventh ends the first. Ten new ones in an hour.',
};
