import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://slack.com/oauth/v2/authorize';
const tokenUrl = 'https://slack.com/api/oauth.v2.access';
const apiBaseUrl = 'https://slack.com/api';
const mcpUrl = 'https://mcp.slack.com/mcp';

/** Bot tokens; they expire after 12 h when the app's manifest switches token rotation on, else never. */
export const slack: Provider = {
  ...oauthDefaults,
  id: 'slack',
  name: 'Slack',
  authorizeUrl,
  tokenUrl,
  clientAuthentication: 'post',
  pkce: false,
  scopeSeparator: ',',
  grantedScopeSeparator: ',',
  apiBaseUrl,
  mcpUrl,
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
};
