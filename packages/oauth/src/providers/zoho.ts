import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://accounts.zoho.com/oauth/v2/auth';
const tokenUrl = 'https://{accounts}/oauth/v2/token';
const apiBaseUrl = 'https://{api}';

// Each by name: under any other ending the domain may be anybody's.
const dataCentres = 'com|eu|in|com\\.au|com\\.cn|jp|sa|uk|ae';

/** The callback names the data centre of the account; its tokens are known nowhere else. */
export const zoho: Provider = {
  ...oauthDefaults,
  id: 'zoho',
  name: 'Zoho',
  docsUrl: 'https://www.zoho.com/accounts/protocol/oauth/web-server-applications.html',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  fields: {
    accounts: { pattern: '[a-z.]+', from: { callback: 'accounts-server', part: 'host' } },
    api: { pattern: '[a-z.]+', from: { response: 'api_domain', part: 'host' } },
  },
  authorizationHost: `accounts\\.(zoho\\.(${dataCentres})|zohocloud\\.ca)`,
  apiHost: `www\\.zohoapis\\.(${dataCentres}|ca)`,
  clientAuthentication: 'post',
  scopeSeparator: ',',
  authorizeParams: { access_type: 'offline', prompt: 'consent' },
  assumedLifetime: 3600,
  // A refresh omits `refresh_token`: the old one stays valid.
  refreshTokenRotates: false,
  // With status 200.
  errors: { invalid_code: 'permanent' },
  injection: { ...oauthDefaults.injection, scheme: 'Zoho-oauthtoken' },
  unverified: ['pkce', 'scopeSeparator', 'authorizationHost', 'apiHost'],
  note: 'Ten access tokens in ten minutes for a refresh token, and 20 refresh tokens for a user: the 21st ends the first.',
};
