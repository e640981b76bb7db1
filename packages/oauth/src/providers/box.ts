import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://account.box.com/api/oauth2/authorize';
const tokenUrl = 'https://api.box.com/oauth2/token';
const revokeUrl = 'https://api.box.com/oauth2/revoke';
const apiBaseUrl = 'https://api.box.com/2.0';
const mcpUrl = 'https://mcp.box.com';

/** An authorization code lives for 30 seconds; a refresh token for 60 days or one use. */
export const box: Provider = {
  ...oauthDefaults,
  id: 'box',
  name: 'Box',
  docsUrl: 'https://developer.box.com/guides/authentication/oauth2/',
  authorizeUrl,
  tokenUrl,
  revokeUrl,
  apiBaseUrl,
  mcpUrl,
  clientAuthentication: 'post',
  assumedLifetime: 3600,
  refreshTokenIdleLifetime: 60 * 86_400,
  unverified: ['pkce'],
};
