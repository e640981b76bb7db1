import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

/** Any server with a discovery document; the integration names its `issuer`. */
export const oidc: Provider = {
  ...oauthDefaults,
  id: 'oidc',
  name: 'OpenID Connect',
  docsUrl: 'https://openid.net/specs/openid-connect-discovery-1_0.html',
  note: 'Set `issuer`; where it wants a scope for refresh tokens, `offlineScopes: [offline_access]`.',
};
