import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://slack.com/oauth/v2/authorize';
const tokenUrl = 'https://slack.com/api/oauth.v2.access';
const revokeUrl = 'https://slack.com/api/auth.revoke';
const apiBaseUrl = 'https://slack.com/api';
const mcpUrl = 'https://mcp.slack.com/mcp';

/** What says that a token is dead, with status 200 as every error. */
const deadTokenErrors = ['token_revoked', 'invalid_auth', 'token_expired', 'account_inactive'];

/** Bot tokens; they expire after 12 h when the app's manifest switches token rotation on, else never. */
export const slack: Provider = {
  ...oauthDefaults,
  id: 'slack',
  name: 'Slack',
  docsUrl: 'https://docs.slack.dev/authentication/installing-with-oauth',
  authorizeUrl,
  tokenUrl,
  revokeUrl,
  account: { id: { response: 'team.id' }, name: { response: 'team.name' } },
  clientAuthentication: 'post',
  pkce: false,
  scopeSeparator: ',',
  grantedScopeSeparator: ',',
  apiBaseUrl,
  mcpUrl,
  fields: {
    teamId: { pattern: '[TE][A-Z0-9]+', optional: true, from: { response: 'team.id' } },
    botUserId: { pattern: '[UW][A-Z0-9]+', optional: true, from: { response: 'bot_user_id' } },
  },
  revocation: {
    ...oauthDefaults.revocation,
    authentication: 'bearer',
    body: 'none',
    takes: 'access',
    alreadyRevoked: deadTokenErrors,
  },
  // Every error comes with status 200 as {"ok":false,"error":…}.
  errors: {
    invalid_refresh_token: 'permanent',
    token_revoked: 'permanent',
    account_inactive: 'permanent',
    invalid_code: 'permanent',
    code_already_used: 'permanent',
    bad_client_secret: 'operator',
    invalid_client_id: 'operator',
    bad_redirect_uri: 'operator',
    ratelimited: 'throttled',
    internal_error: 'transient',
    fatal_error: 'transient',
    service_unavailable: 'transient',
    request_timeout: 'transient',
  },
  tokenRefusedErrors: deadTokenErrors,
  unverified: ['account', 'pkce', 'tokenRefusedErrors'],
  note: 'User tokens: an integration with `tokensIn: authed_user`, and its scopes in `authorizeParams.user_scope`.',
};
