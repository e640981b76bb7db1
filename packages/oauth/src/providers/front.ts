import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://app.frontapp.com/oauth/authorize';
const tokenUrl = 'https://app.frontapp.com/oauth/token';
const apiBaseUrl = 'https://api2.frontapp.com';

/** A dead refresh token may be `invalid_grant` with 401. */
export const front: Provider = {
  ...oauthDefaults,
  id: 'front',
  name: 'Front',
  docsUrl: 'https://dev.frontapp.com/docs/oauth',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  clientAuthentication: 'basic',
  assumedLifetime: 3600,
  refreshTokenIdleLifetime: 180 * 86_400,
  unverified: ['pkce', 'refreshTokenIdleLifetime', 'refreshTokenRotates'],
  note: 'Scopes are set on the app.',
};
