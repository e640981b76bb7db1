import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://{host}/oauth/authorize/';
const tokenUrl = 'https://{host}/oauth/token/';
const apiBaseUrl = 'https://{host}/api/0';
const mcpUrl = 'https://mcp.sentry.dev/mcp';

/** Tokens of a user, for 30 days; `expires_at` stands beside `expires_in`. */
export const sentry: Provider = {
  ...oauthDefaults,
  id: 'sentry',
  name: 'Sentry',
  docsUrl: 'https://docs.sentry.io/api/auth/',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  mcpUrl,
  fields: { host: { pattern: '[a-z0-9.-]+(:[0-9]{1,5})?', configured: true, default: 'sentry.io' } },
  clientAuthentication: 'post',
  assumedLifetime: 2_591_999,
  unverified: ['refreshTokenRotates'],
  note: '`values.host` is the host of your own Sentry.',
};
