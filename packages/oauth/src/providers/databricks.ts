import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const authorizeUrl = 'https://{workspace}/oidc/v1/authorize';
const tokenUrl = 'https://{workspace}/oidc/v1/token';
const apiBaseUrl = 'https://{workspace}/api/2.0';

/** Lifetimes are set on the app. */
export const databricks: Provider = {
  ...oauthDefaults,
  id: 'databricks',
  name: 'Databricks',
  docsUrl: 'https://docs.databricks.com/aws/en/dev-tools/auth/oauth-u2m',
  authorizeUrl,
  tokenUrl,
  apiBaseUrl,
  fields: {
    workspace: {
      pattern: '[a-z0-9.-]+\\.(cloud\\.databricks\\.com|azuredatabricks\\.net|gcp\\.databricks\\.com)',
      configured: true,
    },
  },
  clientAuthentication: 'basic',
  offlineScopes: ['offline_access'],
  unverified: ['authorizeUrl', 'clientAuthentication', 'pkce', 'offlineScopes', 'fields'],
  note: '`values.workspace` is the host of the workspace. Ask for the scope `all-apis`.',
};
