import { oauthDefaults } from '../provider.ts';
import type { Provider } from '../provider.ts';

const tokenUrl = 'https://sentry.io/api/0/sentry-app-installations/{installationId}/authorizations/';
const apiBaseUrl = 'https://sentry.io/api/0';
const mcpUrl = 'https://mcp.sentry.dev/mcp';

/** Tokens of an installation; its id and the code come in a webhook, and the answer has status 201. */
export const sentryIntegration: Provider = {
  ...oauthDefaults,
  id: 'sentry-integration',
  name: 'Sentry integration',
  docsUrl: 'https://docs.sentry.io/organization/integrations/integration-platform/public-integration/',
  tokenUrl,
  apiBaseUrl,
  mcpUrl,
  fields: { installationId: { pattern: '[0-9a-f-]{36}' } },
  clientAuthentication: 'post',
  tokenRequestBody: 'json',
  pkce: false,
  responseFields: {
    ...oauthDefaults.responseFields,
    accessToken: 'token',
    refreshToken: 'refreshToken',
    expiresAt: 'expiresAt',
  },
  unverified: ['pkce'],
  note: 'Set `authorizeUrl` to the page where users install your integration. Its code comes in a webhook of yours: see [connecting](connecting.md).',
};
