import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://www.canva.com/api/oauth/authorize';
const tokenUrl = 'https://api.canva.com/rest/v1/oauth/token';
const apiBaseUrl = 'https://api.canva.com/rest/v1';
const mcpUrl = 'https://mcp.canva.com/mcp';

/** Replay of a spent refresh token may end the whole grant. Access tokens have up to 4 KB. */
export const canva: Provider = {
  ...oauthDefaults,
  id: 'canva',
  name: 'Canva',
  docsUrl: 'https://www.canva.dev/docs/connect/authentication/',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  mcpUrl,
  clientAuthentication: 'basic',
  assumedLifetime: 14_400,
};
