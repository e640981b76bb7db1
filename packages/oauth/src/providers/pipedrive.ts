import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://oauth.pipedrive.com/oauth/authorize';
const tokenUrl = 'https://oauth.pipedrive.com/oauth/token';
const apiBaseUrl = 'https://{company}/api';

/** The API is at the domain that the token response names. */
export const pipedrive: Provider = {
  ...oauthDefaults,
  id: 'pipedrive',
  name: 'Pipedrive',
  docsUrl: 'https://pipedrive.readme.io/docs/marketplace-oauth-authorization',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  fields: { company: { pattern: '[a-z0-9.-]+', from: { response: 'api_domain', part: 'host' } } },
  apiHost: '[a-z0-9-]+\\.pipedrive\\.com',
  clientAuthentication: 'basic',
  pkce: false,
  declinedErrors: ['access_denied', 'user_denied'],
  assumedLifetime: 3600,
  refreshTokenIdleLifetime: 60 * 86_400,
  unverified: ['pkce', 'assumedLifetime', 'refreshTokenIdleLifetime', 'refreshTokenRotates'],
  note: 'Scopes are set on the app.',
};
