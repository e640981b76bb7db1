import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://app.netlify.com/authorize';
const tokenUrl = 'https://api.netlify.com/oauth/token';
const apiBaseUrl = 'https://api.netlify.com/api/v1';
const mcpUrl = 'https://netlify-mcp.netlify.app/mcp';

/** Apps have no scopes. */
export const netlify: Provider = {
  ...oauthDefaults,
  id: 'netlify',
  name: 'Netlify',
  docsUrl: 'https://docs.netlify.com/api-and-cli-guides/api-guides/get-started-with-api/',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  mcpUrl,
  unverified: ['clientAuthentication', 'pkce', 'refreshTokenRotates'],
  note: 'Set `clientAuthentication` to `post` if it refuses `basic`.',
};
