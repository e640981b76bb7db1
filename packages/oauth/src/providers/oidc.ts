import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

/** Any server with a discovery document; the integration names its `issuer`. */
export const oidc: Provider = {
  ...oauthDefaults,
  id: 'oidc',
  name: 'OpenID Connect',
};
