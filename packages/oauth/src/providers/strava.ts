import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://www.strava.com/oauth/authorize';
const tokenUrl = 'https://www.strava.com/api/v3/oauth/token';
const apiBaseUrl = 'https://www.strava.com/api/v3';

/** A refresh answers with the same access token while it has more than an hour left. */
export const strava: Provider = {
  ...oauthDefaults,
  id: 'strava',
  name: 'Strava',
  docsUrl: 'https://developers.strava.com/docs/authentication/',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  clientAuthentication: 'post',
  scopeSeparator: ',',
  grantedScopeSeparator: ',',
  authorizeParams: { approval_prompt: 'auto' },
  assumedLifetime: 21_600,
  unverified: ['pkce'],
  note: 'A user may untick scopes.',
};
