import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://www.paypal.com/signin/authorize';
const tokenUrl = 'https://{host}/v1/oauth2/token';
const apiBaseUrl = 'https://{host}';
const mcpUrl = 'https://mcp.paypal.com/mcp';

/** The sandbox has a host of its own. */
export const paypal: Provider = {
  ...oauthDefaults,
  id: 'paypal',
  name: 'PayPal',
  docsUrl: 'https://developer.paypal.com/docs/log-in-with-paypal/integrate/',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  mcpUrl,
  fields: {
    host: { pattern: 'api-m(\\.sandbox)?\\.paypal\\.com', configured: true, default: 'api-m.paypal.com' },
  },
  clientAuthentication: 'basic',
  unverified: ['pkce', 'refreshTokenRotates'],
  note: '`values.host` is `api-m.sandbox.paypal.com` for the sandbox; its `authorizeUrl` differs as well. Set `offlineScopes` or `authorizeParams` if your app needs them for a refresh token.',
};
