import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://{host}/oauth/authorize';
const tokenUrl = 'https://{host}/oauth/token';
const revokeUrl = 'https://{host}/oauth/revoke';
const apiBaseUrl = 'https://{host}/api/v4';

/** A refresh ends both old tokens at once. */
export const gitlab: Provider = {
  ...oauthDefaults,
  id: 'gitlab',
  name: 'GitLab',
  docsUrl: 'https://docs.gitlab.com/api/oauth2/',
  authorizeUrl,
  tokenUrl,
  revokeUrl,
  apiBaseUrl,
  fields: {
    host: { pattern: '[a-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9_-]+)*', configured: true, default: 'gitlab.com' },
    redirectUri: { pattern: 'https?://\\S+', optional: true },
  },
  account: {
    id: { lookup: 'https://{host}/api/v4/user', path: 'id' },
    name: { lookup: 'https://{host}/api/v4/user', path: 'username' },
  },
  clientAuthentication: 'post',
  // The one of the authorize URL.
  refreshParams: { redirect_uri: '{redirectUri}' },
  assumedLifetime: 7200,
  unverified: ['account'],
  note: '`values.host` is the host of your own GitLab, with its port and path if it has them.',
};
