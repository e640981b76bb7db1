import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://linear.app/oauth/authorize';
const tokenUrl = 'https://api.linear.app/oauth/token';
const revokeUrl = 'https://api.linear.app/oauth/revoke';
const apiBaseUrl = 'https://api.linear.app/graphql';
const mcpUrl = 'https://mcp.linear.app/mcp';

/** Apps from October 2025 on have refresh tokens that rotate. */
export const linear: Provider = {
  ...oauthDefaults,
  id: 'linear',
  name: 'Linear',
  docsUrl: 'https://linear.app/developers/oauth-2-0-authentication',
  authorizeUrl,
  tokenUrl,
  revokeUrl,
  apiBaseUrl,
  mcpUrl,
  clientAuthentication: 'post',
  assumedLifetime: 86_399,
  scopeSeparator: ',',
  // Answers with spaces, for old apps with an array.
  grantedScopeSeparator: ' ',
  // 400 for a token that is dead already.
  revocation: {
    ...oauthDefaults.revocation,
    authentication: 'bearer',
    body: 'none',
    takes: 'access',
    alreadyRevoked: ['http_400'],
  },
  note: 'Apps from before October 2025 get tokens that live ten years, and none to refresh them with.',
};
