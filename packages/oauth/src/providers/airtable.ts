import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://airtable.com/oauth2/v1/authorize';
const tokenUrl = 'https://airtable.com/oauth2/v1/token';
const apiBaseUrl = 'https://api.airtable.com/v0';
const mcpUrl = 'https://mcp.airtable.com/mcp';

/** Replay of a spent refresh token may end the whole grant. */
export const airtable: Provider = {
  ...oauthDefaults,
  id: 'airtable',
  name: 'Airtable',
  docsUrl: 'https://airtable.com/developers/web/api/oauth-reference',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  mcpUrl,
  clientAuthentication: 'basic',
  refreshTokenIdleLifetime: 60 * 86_400,
  unverified: ['pkce'],
  note: 'An app without a secret sets `clientAuthentication: none`.',
};
