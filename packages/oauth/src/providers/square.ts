import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://connect.squareup.com/oauth2/authorize';
const tokenUrl = 'https://connect.squareup.com/oauth2/token';
const revokeUrl = 'https://connect.squareup.com/oauth2/revoke';
const apiBaseUrl = 'https://connect.squareup.com/v2';
const mcpUrl = 'https://mcp.squareup.com/sse';

/** With a secret the refresh token stays; with PKCE it works once. */
export const square: Provider = {
  ...oauthDefaults,
  id: 'square',
  name: 'Square',
  docsUrl: 'https://developer.squareup.com/docs/oauth-api/overview',
  authorizeUrl,
  tokenUrl,
  revokeUrl,
  apiBaseUrl,
  mcpUrl,
  clientAuthentication: 'post',
  tokenRequestBody: 'json',
  codeEncodedTwice: true,
  // It would change the rules of a refresh.
  pkce: false,
  authorizeParams: { session: 'false' },
  // `expires_at` in ISO 8601, and no `expires_in`.
  assumedLifetime: 30 * 86_400,
  refreshTokenRotates: false,
  revocation: {
    ...oauthDefaults.revocation,
    authentication: 'client_scheme',
    body: 'json',
    parameter: 'access_token',
    takes: 'access',
  },
  unverified: ['codeEncodedTwice', 'revokeUrl', 'revocation'],
  note: 'A public client sets `clientAuthentication: none`, `pkce: true`, `refreshTokenRotates: true` and `refreshTokenIdleLifetime: 7776000`. Square asks apps to refresh at least every seven days: `refreshTokenIdleLifetime: 1209600` does it at half of that.',
};
