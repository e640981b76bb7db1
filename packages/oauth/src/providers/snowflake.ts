import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://{account}.snowflakecomputing.com/oauth/authorize';
const tokenUrl = 'https://{account}.snowflakecomputing.com/oauth/token-request';
const apiBaseUrl = 'https://{account}.snowflakecomputing.com';

/** Lifetimes and rotation are set on the security integration. */
export const snowflake: Provider = {
  ...oauthDefaults,
  id: 'snowflake',
  name: 'Snowflake',
  docsUrl: 'https://docs.snowflake.com/user-guide/oauth-custom',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  fields: { account: { pattern: '[a-z0-9][a-z0-9_.-]*', configured: true } },
  clientAuthentication: 'basic',
  offlineScopes: ['refresh_token'],
  assumedLifetime: 600,
  // From its issue, and no use extends it.
  refreshTokenLifetime: 90 * 86_400,
  note: '`values.account` is the account identifier. The security integration needs `OAUTH_ISSUE_REFRESH_TOKENS = TRUE`. Should its API ask for the type of the token, set `injection.headers`: `{ X-Snowflake-Authorization-Token-Type: OAUTH }`.',
};
