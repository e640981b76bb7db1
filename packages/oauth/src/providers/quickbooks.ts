import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://appcenter.intuit.com/connect/oauth2';
const tokenUrl = 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer';
const revokeUrl = 'https://developer.api.intuit.com/v2/oauth2/tokens/revoke';
const apiBaseUrl = 'https://quickbooks.api.intuit.com';

/** Every copy of a token set breaks the others. */
export const quickbooks: Provider = {
  ...oauthDefaults,
  id: 'quickbooks',
  name: 'QuickBooks',
  docsUrl:
    'https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0',
  authorizeUrl,
  tokenUrl,
  revokeUrl,
  apiBaseUrl,
  // Agents need it in their paths: /v3/company/{realmId}/…
  fields: { realmId: { pattern: '[0-9]{1,20}', optional: true, from: { callback: 'realmId' } } },
  account: { id: { callback: 'realmId' } },
  clientAuthentication: 'basic',
  assumedLifetime: 3600,
  refreshTokenIdleLifetime: 100 * 86_400,
  refreshTokenLifetime: 5 * 365 * 86_400,
  revocation: { ...oauthDefaults.revocation, body: 'json' },
  unverified: ['account', 'pkce', 'refreshTokenRotates', 'revocation'],
};
