import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://webexapis.com/v1/authorize';
const tokenUrl = 'https://webexapis.com/v1/access_token';
const apiBaseUrl = 'https://webexapis.com/v1';

/** Access tokens live for two weeks. */
export const webex: Provider = {
  ...oauthDefaults,
  id: 'webex',
  name: 'Webex',
  docsUrl: 'https://developer.webex.com/docs/integrations',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  clientAuthentication: 'post',
  assumedLifetime: 14 * 86_400,
  refreshTokenIdleLifetime: 60 * 86_400,
  unverified: ['pkce', 'assumedLifetime', 'refreshTokenIdleLifetime', 'refreshTokenRotates'],
};
