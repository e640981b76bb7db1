import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://www.figma.com/oauth';
const tokenUrl = 'https://api.figma.com/v1/oauth/token';
const refreshUrl = 'https://api.figma.com/v1/oauth/refresh';
const apiBaseUrl = 'https://api.figma.com/v1';
const mcpUrl = 'https://mcp.figma.com/mcp';

/** Refresh tokens are redeemed at another address than codes. */
export const figma: Provider = {
  ...oauthDefaults,
  id: 'figma',
  name: 'Figma',
  docsUrl: 'https://www.figma.com/developers/api',
  authorizeUrl,
  tokenUrl,
  refreshUrl,
  apiBaseUrl,
  mcpUrl,
  clientAuthentication: 'basic',
  scopeSeparator: ',',
  omittedParams: { refresh: ['grant_type'] },
  // A refresh omits `refresh_token`: the old one stays valid.
  refreshTokenRotates: false,
  unverified: ['pkce', 'scopeSeparator'],
};
