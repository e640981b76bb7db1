import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://www.linkedin.com/oauth/v2/authorization';
const tokenUrl = 'https://www.linkedin.com/oauth/v2/accessToken';
const apiBaseUrl = 'https://api.linkedin.com';

/** A year after the consent the user has to come back; the response counts down. */
export const linkedin: Provider = {
  ...oauthDefaults,
  id: 'linkedin',
  name: 'LinkedIn',
  docsUrl: 'https://learn.microsoft.com/linkedin/shared/authentication/programmatic-refresh-tokens',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  clientAuthentication: 'post',
  pkce: false,
  declinedErrors: ['access_denied', 'user_cancelled_login', 'user_cancelled_authorize'],
  assumedLifetime: 60 * 86_400,
  refreshTokenRotates: false,
  refreshTokenLifetime: 365 * 86_400,
  unverified: ['pkce', 'refreshTokenRotates'],
  note: 'Only approved partners get refresh tokens.',
};
