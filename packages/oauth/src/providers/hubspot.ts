import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://app.hubspot.com/oauth/authorize';
const tokenUrl = 'https://api.hubapi.com/oauth/v1/token';
const revokeUrl = 'https://api.hubapi.com/oauth/v1/refresh-tokens/{token}';
const apiBaseUrl = 'https://api.hubapi.com';
const mcpUrl = 'https://mcp.hubspot.com';

/** A refresh answers with the refresh token that it was given. */
export const hubspot: Provider = {
  ...oauthDefaults,
  id: 'hubspot',
  name: 'HubSpot',
  docsUrl: 'https://developers.hubspot.com/docs/api/oauth-quickstart-guide',
  authorizeUrl,
  tokenUrl,
  revokeUrl,
  apiBaseUrl,
  mcpUrl,
  clientAuthentication: 'post',
  assumedLifetime: 1800,
  refreshTokenRotates: false,
  // {"status":"BAD_REFRESH_TOKEN","message":…}
  responseFields: { ...oauthDefaults.responseFields, error: 'status' },
  errors: { BAD_REFRESH_TOKEN: 'permanent' },
  revocation: {
    ...oauthDefaults.revocation,
    method: 'DELETE',
    authentication: 'none',
    body: 'none',
    takes: 'refresh',
    alreadyRevoked: ['http_404'],
  },
  unverified: ['pkce', 'assumedLifetime', 'refreshTokenRotates'],
  note: 'Scopes that a user may refuse go into `authorizeParams.optional_scope`. Version 1 of its token API ends on 2027-02-16: set `tokenUrl` to a later one.',
};
