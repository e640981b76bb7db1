import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://app.asana.com/-/oauth_authorize';
const tokenUrl = 'https://app.asana.com/-/oauth_token';
const revokeUrl = 'https://app.asana.com/-/oauth_revoke';
const apiBaseUrl = 'https://app.asana.com/api/1.0';
const mcpUrl = 'https://mcp.asana.com/v2';

/** Its refresh tokens may stay. */
export const asana: Provider = {
  ...oauthDefaults,
  id: 'asana',
  name: 'Asana',
  docsUrl: 'https://developers.asana.com/docs/oauth',
  authorizeUrl,
  tokenUrl,
  revokeUrl,
  apiBaseUrl,
  mcpUrl,
  clientAuthentication: 'post',
  // Sources disagree, so they are treated as if they rotated.
  unverified: ['pkce', 'refreshTokenRotates'],
};
