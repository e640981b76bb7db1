import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://identity.pagerduty.com/oauth/authorize';
const tokenUrl = 'https://identity.pagerduty.com/oauth/token';
const apiBaseUrl = 'https://api.pagerduty.com';

/** The European service region has another API host. */
export const pagerduty: Provider = {
  ...oauthDefaults,
  id: 'pagerduty',
  name: 'PagerDuty',
  docsUrl: 'https://developer.pagerduty.com/docs/oauth-functionality',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  clientAuthentication: 'post',
  unverified: ['pkce', 'refreshTokenRotates'],
  note: 'Europe: set `apiBaseUrl` to `https://api.eu.pagerduty.com`. Set `offlineScopes` or `authorizeParams` if your app needs them for a refresh token.',
};
