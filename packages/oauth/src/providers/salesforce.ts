import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://{host}/services/oauth2/authorize';
const tokenUrl = 'https://{host}/services/oauth2/token';
const revokeUrl = 'https://{host}/services/oauth2/revoke';
const apiBaseUrl = 'https://{instance}';

/** Its API is at the instance that the token response names. */
export const salesforce: Provider = {
  ...oauthDefaults,
  id: 'salesforce',
  name: 'Salesforce',
  docsUrl: 'https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_web_server_flow.htm',
  authorizeUrl,
  tokenUrl,
  revokeUrl,
  apiBaseUrl,
  fields: {
    host: {
      pattern: '(login|test)\\.salesforce\\.com|[a-z0-9-]+(\\.sandbox)?\\.my\\.salesforce\\.com',
      configured: true,
      default: 'login.salesforce.com',
    },
    instance: { pattern: '[a-z0-9.-]+', from: { response: 'instance_url', part: 'host' } },
  },
  apiHost: '[a-z0-9.-]+\\.salesforce\\.com',
  clientAuthentication: 'post',
  offlineScopes: ['refresh_token'],
  // The user was deactivated: nobody but their own administrator can change that.
  errors: { inactive_user: 'permanent' },
  note: '`values.host` is `test.salesforce.com` for sandboxes, or your own domain. Token responses name no lifetime: set `assumedLifetime` to the session timeout of the org. A sixth approval of the same user ends the first.',
};
