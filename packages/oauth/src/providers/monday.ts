import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://auth.monday.com/oauth2/authorize';
const tokenUrl = 'https://auth.monday.com/oauth2/token';
const apiBaseUrl = 'https://api.monday.com/v2';
const mcpUrl = 'https://mcp.monday.com/sse';

/** Tokens live until the app is uninstalled. */
export const monday: Provider = {
  ...oauthDefaults,
  id: 'monday',
  name: 'monday.com',
  docsUrl: 'https://developer.monday.com/apps/docs/oauth',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  mcpUrl,
  clientAuthentication: 'post',
  pkce: false,
  omittedParams: { authorize: ['response_type'] },
  // The token alone, without a scheme.
  injection: { ...oauthDefaults.injection, scheme: '' },
  unverified: ['pkce', 'omittedParams', 'injection', 'revokeUrl'],
};
