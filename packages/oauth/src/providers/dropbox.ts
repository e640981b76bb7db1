import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://www.dropbox.com/oauth2/authorize';
const tokenUrl = 'https://api.dropboxapi.com/oauth2/token';
const revokeUrl = 'https://api.dropboxapi.com/2/auth/token/revoke';
const apiBaseUrl = 'https://api.dropboxapi.com/2';

/** A revocation ends both tokens. */
export const dropbox: Provider = {
  ...oauthDefaults,
  id: 'dropbox',
  name: 'Dropbox',
  docsUrl: 'https://developers.dropbox.com/oauth-guide',
  authorizeUrl,
  tokenUrl,
  revokeUrl,
  apiBaseUrl,
  clientAuthentication: 'post',
  authorizeParams: { token_access_type: 'offline' },
  assumedLifetime: 14_400,
  // A refresh omits `refresh_token`: the old one stays valid.
  refreshTokenRotates: false,
  revocation: { ...oauthDefaults.revocation, authentication: 'bearer', body: 'none', takes: 'access' },
  unverified: ['pkce', 'assumedLifetime', 'refreshTokenRotates'],
};
