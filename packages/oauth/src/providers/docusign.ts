import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://{host}/oauth/auth';
const tokenUrl = 'https://{host}/oauth/token';
const apiBaseUrl = 'https://{base}';

/** The API is at the base URI of the account. */
export const docusign: Provider = {
  ...oauthDefaults,
  id: 'docusign',
  name: 'Docusign',
  docsUrl: 'https://developers.docusign.com/platform/auth/authcode/',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  fields: {
    host: { pattern: 'account(-d)?\\.docusign\\.com', configured: true, default: 'account.docusign.com' },
    base: {
      pattern: '[a-z0-9.-]+',
      from: {
        lookup: 'https://{host}/oauth/userinfo',
        path: 'accounts.0.base_uri',
        label: 'accounts.0.account_name',
        part: 'host',
      },
    },
  },
  apiHost: '[a-z0-9.-]+\\.docusign\\.(net|com)',
  clientAuthentication: 'basic',
  offlineScopes: ['extended'],
  assumedLifetime: 28_800,
  refreshTokenIdleLifetime: 30 * 86_400,
  unverified: ['fields', 'apiHost', 'pkce', 'refreshTokenRotates'],
  note: '`values.host` is `account-d.docusign.com` for developer accounts.',
};
