import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://accounts.spotify.com/authorize';
const tokenUrl = 'https://accounts.spotify.com/api/token';
const apiBaseUrl = 'https://api.spotify.com/v1';

/** Six months after the consent the user has to come back. */
export const spotify: Provider = {
  ...oauthDefaults,
  id: 'spotify',
  name: 'Spotify',
  docsUrl: 'https://developer.spotify.com/documentation/web-api/tutorials/refreshing-tokens',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  clientAuthentication: 'basic',
  assumedLifetime: 3600,
  // A refresh may omit `refresh_token`; one that it brings replaces the old one.
  refreshTokenLifetime: 180 * 86_400,
};
