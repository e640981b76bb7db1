import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://app.gong.io/oauth2/authorize';
const tokenUrl = 'https://app.gong.io/oauth2/generate-customer-token';
const apiBaseUrl = 'https://{base}';

/** The API is at the address that the token response names; another one calls the token revoked. */
export const gong: Provider = {
  ...oauthDefaults,
  id: 'gong',
  name: 'Gong',
  docsUrl: 'https://help.gong.io/docs/create-an-app-for-gong',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  fields: { base: { pattern: '[a-z0-9.-]+', from: { response: 'api_base_url_for_customer', part: 'host' } } },
  apiHost: '([a-z0-9-]+\\.)*api\\.gong\\.io',
  clientAuthentication: 'basic',
  tokenRequestBody: 'query',
  pkce: false,
  authorizeParams: { access_type: 'offline' },
  unverified: ['tokenRequestBody', 'pkce', 'authorizeParams', 'apiHost', 'refreshTokenRotates'],
};
