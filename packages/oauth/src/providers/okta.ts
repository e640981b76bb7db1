import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://{domain}/{server}/v1/authorize';
const tokenUrl = 'https://{domain}/{server}/v1/token';
const revokeUrl = 'https://{domain}/{server}/v1/revoke';
const apiBaseUrl = 'https://{domain}';

/** Whether refresh tokens rotate is set on the app. */
export const okta: Provider = {
  ...oauthDefaults,
  id: 'okta',
  name: 'Okta',
  docsUrl: 'https://developer.okta.com/docs/guides/refresh-tokens/main/',
  authorizeUrl,
  tokenUrl,
  revokeUrl,
  apiBaseUrl,
  fields: {
    domain: { pattern: '[a-z0-9-]+(\\.[a-z0-9-]+)+', configured: true },
    server: { pattern: 'oauth2(/[A-Za-z0-9]+)?', configured: true, default: 'oauth2' },
  },
  clientAuthentication: 'basic',
  offlineScopes: ['offline_access'],
  // 30 seconds, unless the app says otherwise: 0 to 60.
  refreshTokenGrace: 30,
  note: '`values.domain` is the domain of your org; `values.server` is `oauth2/{id}` for a custom authorization server.',
};
