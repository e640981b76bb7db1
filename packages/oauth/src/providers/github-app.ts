import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';
import { github } from './github.ts';

const tokenUrl = 'https://api.github.com/app/installations/{installationId}/access_tokens';

/** Installation tokens of a GitHub App: they act for the app, live an hour and have permissions in place of scopes. */
export const githubApp: Provider = {
  ...oauthDefaults,
  id: 'github-app',
  name: 'GitHub App',
  docsUrl: 'https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app',
  grant: 'github_app',
  fields: { installationId: { pattern: '[1-9][0-9]{0,18}' } },
  tokenUrl,
  // Answers 201 with `token`, and `expires_at` in ISO 8601.
  responseFields: { ...oauthDefaults.responseFields, accessToken: 'token' },
  assumedLifetime: 3600,
  apiBaseUrl: github.apiBaseUrl,
  mcpUrl: github.mcpUrl,
  injection: github.injection,
};
