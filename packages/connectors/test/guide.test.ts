import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  CredentialNotFoundError,
  OAuthProxy,
  RateLimitError,
  TokenExpiredError,
  VaultClient,
  type ProxyRequest,
} from '../src/index.ts';
import { startProxyDeployment, type ProxyDeployment } from './start-proxy.ts';

// The examples of the user's guide, but for addresses and where they import from.
/* oxlint-disable typescript/restrict-template-expressions */

let deployment: ProxyDeployment;
let vault: VaultClient;
let said: string[];

beforeAll(async () => {
  deployment = await startProxyDeployment();
  vault = deployment.vault;
  vi.stubEnv('GITHUB_CLIENT_ID', deployment.client.clientId);
  vi.stubEnv('GITHUB_CLIENT_SECRET', deployment.client.clientSecret);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await deployment.close();
});

beforeEach(() => {
  said = [];
  const say = (...parts: unknown[]) => void said.push(parts.map(String).join(' '));
  for (const name of ['log', 'warn', 'error'] as const) vi.spyOn(console, name).mockImplementation(say);
  return () => vi.restoreAllMocks();
});

const request: ProxyRequest = { tenantId: 'tenant-123', integration: 'github', method: 'GET', path: '/user' };

async function connect(proxy: OAuthProxy, tenantId = 'tenant-123') {
  const granted = await deployment.grant(tenantId);
  await proxy.storeInitialCredentials(tenantId, 'github', { ...granted });
  return granted;
}

it('Use OAuth Proxy: a request gets the token of its tenant', async () => {
  const proxy = new OAuthProxy(
    vault,
    deployment.api.url,
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
    { redisUrl: deployment.redis.url },
  );

  // Start auto-refresh scheduler
  void proxy.start();
  await connect(proxy);
  deployment.api.answer = ({ method, url }, reply) =>
    reply
      .setHeader('Content-Type', 'application/json; charset=utf-8')
      .end(
        JSON.stringify({ number: method === 'POST' && url === '/github/repos/owner/repo/pulls' ? 123 : 0 }),
      );

  // Make MCP request with automatic OAuth injection
  const response = await proxy.proxyRequest({
    tenantId: 'tenant-123',
    integration: 'github',
    method: 'POST',
    path: '/repos/owner/repo/pulls',
    body: {
      title: 'New Feature',
      head: 'feature-branch',
      base: 'main',
    },
  });

  // Response includes PR data
  console.log(response.data.number); // PR #123

  expect(said).toEqual(['123']);
  const sent = deployment.api.seen.at(-1);
  const { accessToken } = await vault.getCredentials('tenant-123', 'github');
  expect(sent?.headers.authorization).toBe(`Bearer ${accessToken}`);
  expect(JSON.parse(sent?.body ?? '')).toEqual({
    title: 'New Feature',
    head: 'feature-branch',
    base: 'main',
  });
  await proxy.close();
});

it('Handle OAuth Flow: what the flow ends with is stored, encrypted, and its refresh is scheduled', async () => {
  const proxy = deployment.newProxy();
  // After user completes OAuth flow
  const tokenResponse = {
    access_token: 'gho_new_token',
    refresh_token: 'ghr_new_refresh',
    expires_in: 3600,
    token_type: 'Bearer',
    scope: 'repo user',
  };

  // Store and schedule refresh
  await proxy.storeInitialCredentials('tenant-123', 'github', tokenResponse);

  const { credential } = await vault.credentials.get({ tenantId: 'tenant-123', integration: 'github' });
  expect(credential).toMatchObject({
    accessToken: expect.stringMatching(/^vault:v1:/) as string,
    refreshToken: expect.stringMatching(/^vault:v1:/) as string,
    scopes: ['repo', 'user'],
    tokenType: 'Bearer',
  });
  const jobs = await deployment.jobs();
  const job = jobs.find(({ data }) => data.revision === credential.metadata.revision);
  const dueMs = (job?.timestamp ?? 0) + (job?.delay ?? 0);
  const leadMs = Date.parse(credential.expiresAt ?? '') - dueMs;
  // Five minutes, and up to half a minute so that not all come at once.
  expect(leadMs / 60_000).toBeGreaterThanOrEqual(5);
  expect(leadMs / 60_000).toBeLessThan(5.6);
});

describe('Error Handling', () => {
  it('Token Expired', async () => {
    const proxy = deployment.newProxy();
    void proxy.start();
    const { access_token: token } = await connect(proxy);
    await deployment.provider.revokeGrant(token);
    deployment.api.answer = (_request, reply) => reply.writeHead(401).end();

    try {
      await proxy.proxyRequest(request);
    } catch (error) {
      if (error instanceof TokenExpiredError) {
        console.log(`Token expired at ${error.expiredAt}`);
        // Redirect user to re-authenticate
      }
    }

    expect(said).toEqual([expect.stringMatching(/^Token expired at \w{3} \w{3} \d\d \d{4} /)]);
  });

  it('Rate Limit', async () => {
    const proxy = deployment.newProxy();
    await connect(proxy);
    deployment.api.answer = (_request, reply) => reply.writeHead(429, { 'Retry-After': '7' }).end();

    try {
      await proxy.proxyRequest(request);
    } catch (error) {
      if (error instanceof RateLimitError) {
        const waitMs = error.getWaitTimeMs();
        console.log(`Rate limited, retry after ${waitMs}ms`);
      }
    }

    expect(said).toEqual(['Rate limited, retry after 7000ms']);
  });

  it('Credential Not Found', async () => {
    try {
      await vault.getCredentials('tenant-123', 'unknown');
    } catch (error) {
      if (error instanceof CredentialNotFoundError) {
        console.log('User needs to connect integration');
        // Redirect to OAuth flow
      }
    }

    expect(said).toEqual(['User needs to connect integration']);
  });
});

it('Monitoring: the scheduler of a proxy tells of every refresh', async () => {
  const proxy = deployment.newProxy();
  const { scheduler } = proxy;

  // Listen to refresh scheduler events
  scheduler.on('refresh-success', ({ tenantId, integration, expiresAt }) => {
    console.log(`Token refreshed: ${tenantId}/${integration}, expires ${expiresAt}`);
  });

  scheduler.on('refresh-failed', ({ tenantId, integration, error }) => {
    console.error(`Refresh failed: ${tenantId}/${integration}`, error);
    // Alert admin or user
  });

  scheduler.on('refresh-retry', ({ tenantId, integration, retryCount }) => {
    console.warn(`Retrying refresh: ${tenantId}/${integration} (attempt ${retryCount})`);
  });

  await proxy.start();
  await connect(proxy, 'refreshed');
  await scheduler.refreshNow('refreshed', 'github');
  await expect.poll(() => said).toHaveLength(1);
  const ended = await connect(proxy, 'ended');
  await deployment.provider.revokeGrant(ended.access_token);
  await scheduler.refreshNow('ended', 'github');
  await expect.poll(() => said).toHaveLength(2);
  await connect(proxy, 'retried');
  deployment.provider.faults.next({ kind: 'status', status: 503 });
  await scheduler.refreshNow('retried', 'github');
  await expect.poll(() => said.length).toBeGreaterThan(2);
  expect(said.slice(0, 3)).toEqual([
    expect.stringMatching(/^Token refreshed: refreshed\/github, expires \w{3} /),
    'Refresh failed: ended/github invalid_grant',
    'Retrying refresh: retried/github (attempt 1)',
  ]);
});

it('Health Check: tells when Vault cannot be used', async () => {
  const vault = new VaultClient({ address: 'http://127.0.0.1:1', token: 'none' });

  // Check Vault connectivity
  const isHealthy = await vault.healthCheck();

  if (!isHealthy) {
    console.error('Vault unavailable - using fallback');
    // Graceful degradation
  }

  expect(said).toEqual(['Vault unavailable - using fallback']);
  expect(await deployment.vault.healthCheck()).toBe(true);
  await vault.close();
});
