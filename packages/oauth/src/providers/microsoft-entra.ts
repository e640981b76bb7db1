import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize';
const tokenUrl = 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token';
const apiBaseUrl = 'https://graph.microsoft.com/v1.0';

/** Microsoft Graph, for work and school accounts and personal ones. */
export const microsoftEntra: Provider = {
  ...oauthDefaults,
  id: 'microsoft-entra',
  name: 'Microsoft Entra',
  docsUrl: 'https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  fields: { tenant: { pattern: '[A-Za-z0-9.-]+', configured: true, default: 'common' } },
  clientAuthentication: 'post',
  offlineScopes: ['offline_access'],
  authorizeParams: { response_mode: 'query' },
  assumedLifetime: 3600,
  // Each refresh brings a new one, but the old one lives on to its own end.
  refreshTokenRotates: false,
  refreshTokenIdleLifetime: 90 * 86_400,
  // What is wrong with the grant, they say as AADSTS codes in the description alone.
  errors: { interaction_required: 'permanent', consent_required: 'permanent', login_required: 'permanent' },
  unverified: ['assumedLifetime', 'errors', 'revokeUrl'],
  note: '`values.tenant` is `common`, `organizations`, `consumers` or a tenant id. National clouds have other login hosts: set `authorizeUrl` and `tokenUrl`.',
};
