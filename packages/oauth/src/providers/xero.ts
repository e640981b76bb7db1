import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://login.xero.com/identity/connect/authorize';
const tokenUrl = 'https://identity.xero.com/connect/token';
const apiBaseUrl = 'https://api.xero.com/api.xro/2.0';

/** For 30 minutes a spent refresh token may be used again. */
export const xero: Provider = {
  ...oauthDefaults,
  id: 'xero',
  name: 'Xero',
  docsUrl: 'https://developer.xero.com/documentation/guides/oauth2/auth-flow',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  // One token set spans all organisations that the user agreed to.
  fields: {
    xeroTenantId: {
      pattern: '[0-9a-f-]{36}',
      from: { lookup: 'https://api.xero.com/connections', path: '0.tenantId', label: '0.tenantName' },
    },
  },
  clientAuthentication: 'basic',
  offlineScopes: ['offline_access'],
  assumedLifetime: 1800,
  refreshTokenGrace: 1800,
  refreshTokenIdleLifetime: 60 * 86_400,
  injection: { ...oauthDefaults.injection, headers: { 'Xero-Tenant-Id': '{xeroTenantId}' } },
};
