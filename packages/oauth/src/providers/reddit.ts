import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://www.reddit.com/api/v1/authorize';
const tokenUrl = 'https://www.reddit.com/api/v1/access_token';
const apiBaseUrl = 'https://oauth.reddit.com';

/** The API wants to know who asks. */
export const reddit: Provider = {
  ...oauthDefaults,
  id: 'reddit',
  name: 'Reddit',
  docsUrl: 'https://github.com/reddit-archive/reddit/wiki/OAuth2',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  clientAuthentication: 'basic',
  authorizeParams: { duration: 'permanent' },
  assumedLifetime: 3600,
  refreshTokenRotates: false,
  injection: { ...oauthDefaults.injection, defaultHeaders: { 'User-Agent': 'connectors' } },
  unverified: ['pkce', 'assumedLifetime', 'refreshTokenRotates', 'injection'],
  note: 'Set a User-Agent that names your app: `injection.defaultHeaders`.',
};
