import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://{host}/realms/{realm}/protocol/openid-connect/auth';
const tokenUrl = 'https://{host}/realms/{realm}/protocol/openid-connect/token';
const revokeUrl = 'https://{host}/realms/{realm}/protocol/openid-connect/revoke';
const apiBaseUrl = 'https://{host}/realms/{realm}';

/** A new refresh token every time; the old one works on unless the realm revokes it. */
export const keycloak: Provider = {
  ...oauthDefaults,
  id: 'keycloak',
  name: 'Keycloak',
  docsUrl: 'https://www.keycloak.org/docs/latest/server_admin/',
  authorizeUrl,
  tokenUrl,
  revokeUrl,
  apiBaseUrl,
  fields: {
    host: { pattern: '[a-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9_-]+)*', configured: true },
    realm: { pattern: '[A-Za-z0-9_.-]+', configured: true },
  },
  clientAuthentication: 'basic',
  offlineScopes: ['offline_access'],
  assumedLifetime: 300,
  refreshTokenIdleLifetime: 30 * 86_400,
  // Rotation stays assumed: with Revoke Refresh Token on, parallel refreshes end the session.
  unverified: ['assumedLifetime', 'refreshTokenIdleLifetime', 'refreshTokenRotates'],
  note: '`values.host` with its port and path if it has them, and `values.realm`.',
};
