import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://github.com/login/oauth/authorize';
const tokenUrl = 'https://github.com/login/oauth/access_token';
const revokeUrl = 'https://api.github.com/applications/{clientId}/token';
const apiBaseUrl = 'https://api.github.com';
const mcpUrl = 'https://api.githubcopilot.com/mcp';

/** OAuth apps (tokens without end) and GitHub Apps (8 h, unless the app switched expiration off). */
export const github: Provider = {
  ...oauthDefaults,
  id: 'github',
  name: 'GitHub',
  docsUrl: 'https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps',
  authorizeUrl,
  tokenUrl,
  revokeUrl,
  account: {
    id: { lookup: 'https://api.github.com/user', path: 'id' },
    name: { lookup: 'https://api.github.com/user', path: 'login' },
  },
  clientAuthentication: 'post',
  grantedScopeSeparator: ',',
  apiBaseUrl,
  mcpUrl,
  // Six months, from its last use; the response says it, too.
  refreshTokenIdleLifetime: 180 * 86_400,
  // Every error comes with status 200.
  errors: {
    // Also what the loser of two concurrent refreshes gets to see.
    bad_refresh_token: 'permanent',
    bad_verification_code: 'permanent',
    unverified_user_email: 'permanent',
    incorrect_client_credentials: 'operator',
    redirect_uri_mismatch: 'operator',
  },
  revocation: {
    ...oauthDefaults.revocation,
    method: 'DELETE',
    authentication: 'basic',
    body: 'json',
    parameter: 'access_token',
    takes: 'access',
    alreadyRevoked: ['http_404'],
  },
  injection: {
    ...oauthDefaults.injection,
    // The API answers 403 to requests without a User-Agent.
    defaultHeaders: { 'User-Agent': 'connectors', 'X-GitHub-Api-Version': '2022-11-28' },
  },
  unverified: ['account', 'pkce'],
  note: 'Takes OAuth apps and GitHub Apps alike: tokens of the latter expire and are refreshed.',
};
