import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://{domain}/authorize';
const tokenUrl = 'https://{domain}/oauth/token';
const revokeUrl = 'https://{domain}/oauth/revoke';
const apiBaseUrl = 'https://{domain}';

/** Reuse of a spent refresh token, outside an overlap that is 0 unless set, ends the whole grant. */
export const auth0: Provider = {
  ...oauthDefaults,
  id: 'auth0',
  name: 'Auth0',
  docsUrl: 'https://auth0.com/docs/secure/tokens/refresh-tokens',
  authorizeUrl,
  tokenUrl,
  revokeUrl,
  apiBaseUrl,
  fields: { domain: { pattern: '[a-z0-9-]+(\\.[a-z0-9-]+)+', configured: true } },
  clientAuthentication: 'post',
  offlineScopes: ['offline_access'],
  revocation: { ...oauthDefaults.revocation, takes: 'refresh' },
  note: '`values.domain` is `{tenant}.auth0.com` or your own domain. Set `authorizeParams.audience` to the API that tokens are for.',
};
