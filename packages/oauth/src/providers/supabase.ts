import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://api.supabase.com/v1/oauth/authorize';
const tokenUrl = 'https://api.supabase.com/v1/oauth/token';
const apiBaseUrl = 'https://api.supabase.com/v1';
const mcpUrl = 'https://mcp.supabase.com/mcp';

/** Access tokens stop the moment the user revokes them. */
export const supabase: Provider = {
  ...oauthDefaults,
  id: 'supabase',
  name: 'Supabase',
  docsUrl: 'https://supabase.com/docs/guides/integrations/build-a-supabase-oauth-integration',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  mcpUrl,
  clientAuthentication: 'basic',
  unverified: ['refreshTokenRotates'],
  note: 'Scopes are set on the app.',
};
