import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://id.heroku.com/oauth/authorize';
const tokenUrl = 'https://id.heroku.com/oauth/token';
const apiBaseUrl = 'https://api.heroku.com';

/** The secret names the client. */
export const heroku: Provider = {
  ...oauthDefaults,
  id: 'heroku',
  name: 'Heroku',
  docsUrl: 'https://devcenter.heroku.com/articles/oauth',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  clientAuthentication: 'post',
  omittedParams: { exchange: ['client_id'], refresh: ['client_id'] },
  // {"id":"unauthorized","message":…}: a message tells nothing for sure, so nothing is given up for it.
  injection: {
    ...oauthDefaults.injection,
    defaultHeaders: { Accept: 'application/vnd.heroku+json; version=3' },
  },
  unverified: ['omittedParams', 'pkce', 'scopeSeparator', 'injection', 'refreshTokenRotates'],
};
