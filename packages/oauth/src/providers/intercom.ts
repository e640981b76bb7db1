import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://app.intercom.com/oauth';
const tokenUrl = 'https://api.intercom.io/auth/eagle/token';
const revokeUrl = 'https://api.intercom.io/auth/uninstall';
const apiBaseUrl = 'https://api.intercom.io';
const mcpUrl = 'https://mcp.intercom.com/mcp';

/** Its tokens do not expire. */
export const intercom: Provider = {
  ...oauthDefaults,
  id: 'intercom',
  name: 'Intercom',
  docsUrl:
    'https://developers.intercom.com/docs/build-an-integration/learn-more/authentication/setting-up-oauth',
  authorizeUrl,
  tokenUrl,
  revokeUrl,
  apiBaseUrl,
  mcpUrl,
  clientAuthentication: 'post',
  pkce: false,
  omittedParams: { authorize: ['response_type', 'scope'], exchange: ['grant_type', 'redirect_uri'] },
  revocation: { ...oauthDefaults.revocation, authentication: 'bearer', body: 'none', takes: 'access' },
  injection: { ...oauthDefaults.injection, defaultHeaders: { 'Intercom-Version': '2.11' } },
  unverified: ['pkce', 'omittedParams', 'injection'],
  note: 'Permissions are set on the app. Workspaces in Europe and Australia: set `apiBaseUrl` to `https://api.eu.intercom.io` or `https://api.au.intercom.io`.',
};
