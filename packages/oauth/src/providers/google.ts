import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://accounts.google.com/o/oauth2/v2/auth';
const tokenUrl = 'https://oauth2.googleapis.com/token';
const revokeUrl = 'https://oauth2.googleapis.com/revoke';
const apiBaseUrl = 'https://www.googleapis.com';

/** Each Google product has its own API host and MCP server: `upstream` in connectors.yaml chooses them. */
export const google: Provider = {
  ...oauthDefaults,
  id: 'google',
  name: 'Google',
  docsUrl: 'https://developers.google.com/identity/protocols/oauth2/web-server',
  authorizeUrl,
  tokenUrl,
  revokeUrl,
  clientAuthentication: 'post',
  // Without `prompt=consent` a second connect by the same user brings no refresh token.
  authorizeParams: { access_type: 'offline', prompt: 'consent' },
  assumedLifetime: 3600,
  // A refresh omits `refresh_token`: the old one stays valid.
  refreshTokenRotates: false,
  // Six months; the seven days of an app in testing have to be configured.
  refreshTokenIdleLifetime: 180 * 86_400,
  apiBaseUrl,
  note: 'Each product has its own API host and MCP server, for example `https://gmailmcp.googleapis.com/mcp/v1`: set `upstream`. Refresh tokens of an app in testing live for a week, and the 101st of an account ends the first.',
};
