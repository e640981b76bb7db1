import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  grantAs,
  provisionVault,
  startAuthorizationServer,
  startEmbeddedVault,
  startRedis,
  type OAuthClient,
} from '@connectors/dev-servers';
import { RefreshQueues, type RefreshJobData } from '@connectors/vault-core';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { OAuthProxy, VaultClient, type OAuthProxyOptions } from '../src/index.ts';
import { keepLog } from './start-deployment.ts';

interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

const redirectUri = 'http://127.0.0.1/callback';

/** Vault, Redis, an authorization server in GitHub's place, and an API that does as the test says. */
export async function startProxyDeployment() {
  const client: OAuthClient = {
    clientId: 'Iv1.example',
    clientSecret: 'a-client-secret',
    redirectUris: [redirectUri],
    authMethod: 'client_secret_post',
  };
  const [vaultServer, redis, provider, api] = await Promise.all([
    startEmbeddedVault({ rootToken: 'dev-root-token' }),
    startRedis(),
    startAuthorizationServer({ clients: [client], accessTokenTtl: 3_600 }),
    startApi(),
  ]);
  const login = { address: vaultServer.url, token: vaultServer.rootToken };
  await provisionVault(login);
  const vault = new VaultClient({ ...login, maxRetries: 0 });
  const { lines, log } = keepLog();
  const connection = new Redis(redis.url);
  const queues = new RefreshQueues(connection, 'connectors');

  return {
    vault,
    vaultServer,
    redis,
    provider,
    client,
    api,
    /** What the proxies have logged. */
    lines,
    newProxy(options: OAuthProxyOptions = {}): OAuthProxy {
      const config = {
        clientId: client.clientId,
        clientSecret: client.clientSecret,
        tokenEndpoint: provider.tokenEndpoint,
        authEndpoint: provider.authorizationEndpoint,
      };
      const clients = new Map(['github', 'slack'].map((id) => [id, config]));
      const proxy = new OAuthProxy(vault, api.url, clients, {
        redisUrl: redis.url,
        allowHosts: ['127.0.0.1'],
        log,
        ...options,
        env: { REFRESH_COOLDOWN_SECONDS: '0', ...options.env },
      });
      onTestFinished(() => proxy.close());
      return proxy;
    },
    /** What the provider answers when this user has consented. */
    grant: (user: string) =>
      grantAs(provider, {
        ...client,
        redirectUri,
        scopes: ['openid', 'offline_access', 'api:read'],
        login: user,
      }),
    /** The refreshes that are scheduled. */
    jobs: () => queues.queue<RefreshJobData>('refresh-github').getDelayed(),
    async close() {
      await queues.close();
      connection.disconnect();
      await vault.close();
      await Promise.all([vaultServer.close(), redis.close(), provider.close(), api.close()]);
    },
  };
}

export type ProxyDeployment = Awaited<ReturnType<typeof startProxyDeployment>>;

/** Keeps what it receives; `answer` may be exchanged at any time. */
async function startApi() {
  const server = createServer((request, response) => void receive(request, response));
  const seen: Seen[] = [];
  const api = {
    url: '',
    seen,
    answer: (_request: Seen, response: ServerResponse): unknown => response.end(),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    const entry = { method, url, headers, body: await text(request) };
    seen.push(entry);
    api.answer(entry, response);
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  api.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return api;
}
