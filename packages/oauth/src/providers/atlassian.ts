import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://auth.atlassian.com/authorize';
const tokenUrl = 'https://auth.atlassian.com/oauth/token';
const apiBaseUrl = 'https://api.atlassian.com/ex/{product}/{cloudId}';
const mcpUrl = 'https://mcp.atlassian.com/v1/sse';

/** Jira and Confluence: one consent that covers both brings one pair of tokens, so connect them as one integration. */
export const atlassian: Provider = {
  ...oauthDefaults,
  id: 'atlassian',
  name: 'Atlassian',
  docsUrl: 'https://developer.atlassian.com/cloud/oauth/getting-started/',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  mcpUrl,
  // The gateway alone takes the token: at `{site}.atlassian.net` it gets a 401.
  fields: {
    product: { pattern: 'jira|confluence', configured: true, default: 'jira' },
    cloudId: {
      pattern: '[0-9a-f-]{36}',
      from: {
        lookup: 'https://api.atlassian.com/oauth/token/accessible-resources',
        path: '0.id',
        label: '0.name',
      },
    },
  },
  clientAuthentication: 'post',
  offlineScopes: ['offline_access'],
  authorizeParams: { audience: 'api.atlassian.com', prompt: 'consent' },
  assumedLifetime: 3600,
  // For ten minutes; then what was issued for the first use is ended before its time.
  refreshTokenGrace: 600,
  refreshTokenIdleLifetime: 90 * 86_400,
  refreshTokenLifetime: 365 * 86_400,
  // A dead refresh token is `invalid_grant` with 403, and a wrong client secret `access_denied`.
  unverified: ['fields', 'pkce', 'refreshTokenLifetime', 'revokeUrl'],
  note: 'Set `values.product` to `confluence` for Confluence.',
};
