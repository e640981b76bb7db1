import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://api.typeform.com/oauth/authorize';
const tokenUrl = 'https://api.typeform.com/oauth/token';
const apiBaseUrl = 'https://api.typeform.com';

/** Lifetimes are set on the app. */
export const typeform: Provider = {
  ...oauthDefaults,
  id: 'typeform',
  name: 'Typeform',
  docsUrl: 'https://www.typeform.com/developers/get-started/applications/',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  clientAuthentication: 'post',
  pkce: false,
  offlineScopes: ['offline'],
  // `expires_in` may hold a point in time.
  assumedLifetime: 7 * 86_400,
  unverified: ['pkce', 'refreshTokenRotates'],
  note: 'Its European data centre has clients of its own: set the three addresses to `https://api.typeform.eu`.',
};
