import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://login.mailchimp.com/oauth2/authorize';
const tokenUrl = 'https://login.mailchimp.com/oauth2/token';
const apiBaseUrl = 'https://{dc}.api.mailchimp.com/3.0';

/** Tokens do not expire. Another address knows the data centre of the account. */
export const mailchimp: Provider = {
  ...oauthDefaults,
  id: 'mailchimp',
  name: 'Mailchimp',
  docsUrl: 'https://mailchimp.com/developer/marketing/guides/access-user-data-oauth-2/',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  fields: {
    dc: {
      pattern: '[a-z]{2,3}[0-9]{1,3}',
      from: { lookup: 'https://login.mailchimp.com/oauth2/metadata', path: 'dc' },
    },
  },
  apiHost: '[a-z]{2,3}[0-9]{1,3}\\.api\\.mailchimp\\.com',
  clientAuthentication: 'post',
  unverified: ['pkce', 'assumedLifetime', 'revokeUrl'],
};
