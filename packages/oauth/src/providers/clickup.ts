import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://app.clickup.com/api';
const tokenUrl = 'https://api.clickup.com/api/v2/oauth/token';
const apiBaseUrl = 'https://api.clickup.com/api/v2';
const mcpUrl = 'https://mcp.clickup.com/mcp';

/** Tokens do not expire. */
export const clickup: Provider = {
  ...oauthDefaults,
  id: 'clickup',
  name: 'ClickUp',
  docsUrl: 'https://developer.clickup.com/docs/authentication',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  mcpUrl,
  clientAuthentication: 'post',
  pkce: false,
  omittedParams: { exchange: ['grant_type'] },
  unverified: ['pkce', 'omittedParams', 'assumedLifetime', 'injection', 'revokeUrl'],
};
