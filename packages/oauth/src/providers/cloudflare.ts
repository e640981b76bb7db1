import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://dash.cloudflare.com/oauth2/auth';
const tokenUrl = 'https://dash.cloudflare.com/oauth2/token';
const apiBaseUrl = 'https://api.cloudflare.com/client/v4';
const mcpUrl = 'https://mcp.cloudflare.com/mcp';

/** Two processes that refresh at once spend each other’s token. */
export const cloudflare: Provider = {
  ...oauthDefaults,
  id: 'cloudflare',
  name: 'Cloudflare',
  docsUrl: 'https://developers.cloudflare.com/fundamentals/api/',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  mcpUrl,
  clientAuthentication: 'post',
  assumedLifetime: 3600,
  unverified: ['pkce', 'assumedLifetime', 'refreshTokenRotates'],
  note: 'Single products have MCP servers of their own: set `upstream.mcp`. Set `offlineScopes` or `authorizeParams` if your app needs them for a refresh token.',
};
