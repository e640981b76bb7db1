import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://vercel.com/oauth/authorize';
const tokenUrl = 'https://api.vercel.com/login/oauth/token';
const revokeUrl = 'https://api.vercel.com/login/oauth/token/revoke';
const apiBaseUrl = 'https://api.vercel.com';
const mcpUrl = 'https://mcp.vercel.com';

/** Refresh tokens come with a scope. */
export const vercel: Provider = {
  ...oauthDefaults,
  id: 'vercel',
  name: 'Vercel',
  docsUrl: 'https://vercel.com/docs/sign-in-with-vercel',
  authorizeUrl,
  tokenUrl,
  revokeUrl,
  apiBaseUrl,
  mcpUrl,
  clientAuthentication: 'post',
  offlineScopes: ['offline_access'],
  unverified: ['pkce', 'revokeUrl', 'refreshTokenRotates'],
};
