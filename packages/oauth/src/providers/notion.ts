import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://api.notion.com/v1/oauth/authorize';
const tokenUrl = 'https://api.notion.com/v1/oauth/token';
const revokeUrl = 'https://api.notion.com/v1/oauth/revoke';
const apiBaseUrl = 'https://api.notion.com/v1';

/** Its refresh tokens are spent with their use. */
export const notion: Provider = {
  ...oauthDefaults,
  id: 'notion',
  name: 'Notion',
  docsUrl: 'https://developers.notion.com/docs/authorization',
  authorizeUrl,
  tokenUrl,
  revokeUrl,
  apiBaseUrl,
  account: { id: { response: 'workspace_id' }, name: { response: 'workspace_name' } },
  clientAuthentication: 'basic',
  tokenRequestBody: 'json',
  pkce: false,
  authorizeParams: { owner: 'user' },
  fields: {
    workspaceId: { pattern: '[0-9a-f-]{32,36}', optional: true, from: { response: 'workspace_id' } },
    botId: { pattern: '[0-9a-f-]{32,36}', optional: true, from: { response: 'bot_id' } },
  },
  tokenHeaders: { 'Notion-Version': '2022-06-28' },
  revocation: { ...oauthDefaults.revocation, body: 'json' },
  injection: {
    ...oauthDefaults.injection,
    // The API answers 400 to requests without a version.
    defaultHeaders: { 'Notion-Version': '2022-06-28' },
  },
  // Token responses say nothing of a lifetime; an integration that knows it sets `assumedLifetime`.
  unverified: ['account', 'pkce', 'revokeUrl', 'revocation', 'tokenHeaders', 'injection'],
  note: 'Capabilities are set on the app; there are no scopes. Set `assumedLifetime` if tokens expire. Its MCP server, `https://mcp.notion.com/mcp`, has an authorization server of its own: connect it as an `oidc` integration.',
};
