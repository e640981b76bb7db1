import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://bitbucket.org/site/oauth2/authorize';
const tokenUrl = 'https://bitbucket.org/site/oauth2/access_token';
const apiBaseUrl = 'https://api.bitbucket.org/2.0';

/** Replay of a spent refresh token may end the whole grant. */
export const bitbucket: Provider = {
  ...oauthDefaults,
  id: 'bitbucket',
  name: 'Bitbucket',
  docsUrl: 'https://developer.atlassian.com/cloud/bitbucket/oauth-2/',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  clientAuthentication: 'basic',
  responseFields: { ...oauthDefaults.responseFields, scope: 'scopes' },
  assumedLifetime: 7200,
  unverified: ['pkce', 'responseFields', 'assumedLifetime', 'refreshTokenRotates'],
};
