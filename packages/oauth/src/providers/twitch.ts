import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://id.twitch.tv/oauth2/authorize';
const tokenUrl = 'https://id.twitch.tv/oauth2/token';
const apiBaseUrl = 'https://api.twitch.tv/helix';

/** Scopes come as an array. */
export const twitch: Provider = {
  ...oauthDefaults,
  id: 'twitch',
  name: 'Twitch',
  docsUrl: 'https://dev.twitch.tv/docs/authentication/refresh-tokens/',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  clientAuthentication: 'post',
  pkce: false,
  injection: { ...oauthDefaults.injection, headers: { 'Client-Id': '{clientId}' } },
  unverified: ['pkce', 'refreshTokenRotates'],
  note: 'Its rules ask apps to validate each token hourly.',
};
