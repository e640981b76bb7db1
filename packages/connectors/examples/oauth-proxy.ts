import {
  CredentialNotFoundError,
  OAuthProxy,
  RateLimitError,
  TokenExpiredError,
  VaultClient,
} from '@connectors/connectors';

const { VAULT_ADDR = 'http://localhost:8200', VAULT_TOKEN = 'dev-root-token' } = process.env;
const { REDIS_URL = 'redis://localhost:6379', MCP_BASE_URL = 'http://mcp-servers:3000' } = process.env;

const vault = new VaultClient({ address: VAULT_ADDR, token: VAULT_TOKEN });

const proxy = new OAuthProxy(
  vault,
  MCP_BASE_URL, // an integration's API is below {MCP_BASE_URL}/{integration}
  new Map([
    [
      'github',
      {
        clientId: process.env.GITHUB_CLIENT_ID,
        clientSecret: process.env.GITHUB_CLIENT_SECRET,
        tokenEndpoint: 'https://github.com/login/oauth/access_token',
        authEndpoint: 'https://github.com/login/oauth/authorize',
      },
    ],
  ]),
  { redisUrl: REDIS_URL },
);
await proxy.start();

// After a user completed the OAuth flow: what the token endpoint answered.
await proxy.storeInitialCredentials('tenant-123', 'github', {
  access_token: 'gho_new_token',
  refresh_token: 'ghr_new_refresh',
  expires_in: 3600,
  token_type: 'Bearer',
  scope: 'repo user',
});

try {
  const response = await proxy.proxyRequest({
    tenantId: 'tenant-123',
    integration: 'github',
    method: 'POST',
    path: '/repos/owner/repo/pulls',
    body: { title: 'New Feature', head: 'feature-branch', base: 'main' },
  });
  console.log(response.status, response.data);
} catch (error) {
  if (error instanceof RateLimitError) console.log(`Rate limited, retry after ${error.getWaitTimeMs()}ms`);
  else if (error instanceof TokenExpiredError)
    console.log(`Token expired at ${error.expiredAt.toISOString()}`);
  else if (error instanceof CredentialNotFoundError) console.log('User needs to connect integration');
  else throw error;
}

await proxy.close();
await vault.close();
