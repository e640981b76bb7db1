import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://webexapis.com/v1/authorize';
const tokenUrl = 'https://webexapis.com/v1/access_token';
const apiBaseUrl = 'https://webexapis.com/v1';

/** Sources disagree on how long a refresh token may lie idle: the shorter time counts. */
export const webex: Provider = {
  ...oauthDefaults,
  id: 'webex',
  name: 'Webex',
  docsUrl: 'https://developer.webex.com/docs/integrations',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  clientAuthentication: 'post',
  refreshTokenIdleLifetime: 60 * 86_400,
  unverified: ['pkce', 'refreshTokenIdleLifetime', 'refreshTokenRotates'],
};
