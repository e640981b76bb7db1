import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import {
  grantAs,
  provisionVault,
  startAuthorizationServer,
  startEmbeddedVault,
  startRedis,
  type Fault,
  type OAuthClient,
  type RunningAuthorizationServer,
} from '@connectors/dev-servers';
import { scheduleRefresh } from '@connectors/refresh';
import {
  connectRedis,
  createLogger,
  EventSubscription,
  RefreshQueues,
  VaultClient,
  type ConnectorsEvent,
  type CredentialId,
  type RefreshJob,
  type RefreshJobData,
} from '@connectors/vault-core';
import type { JobState } from 'bullmq';
import { expect, vi } from 'vitest';
import { startApp, type WorkerApp } from '../src/app.ts';
import { readWorkerConfig } from '../src/config.ts';

export type World = Awaited<ReturnType<typeof startWorld>>;

export const adminToken = 'the-admin-token-of-this-test';
const redirectUri = 'http://127.0.0.1/callback';

interface WorldOptions {
  /** Where the authorization server sends users back to. */
  redirectUris?: string[];
  /** What is put into the integration `demo`, and others beside it. */
  demo?: object;
  more?: Record<string, object>;
}

/**
 * Vault, Redis and an authorization server that revokes a grant on re-use, and what configures a worker for them: it
 * logs in to Vault as the AppRole that is shipped for it.
 */
export async function startWorld(options: WorldOptions = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'worker-'));
  const [vaultServer, redisServer, provider] = await Promise.all([
    startEmbeddedVault(),
    startRedis(),
    startAuthorizationServer({ accessTokenTtl: 3_600, clients: [newClient(options)] }),
  ]);
  const { url: address, rootToken: token } = vaultServer;
  await provisionVault({ address, token, approleDir: folder, auditLog: 'off' });
  const env = await environment(folder, address, redisServer.url, provider, options);
  const admin = new VaultClient({ address, token, maxRetries: 0 });
  const redis = connectRedis(redisServer.url, 'background', () => undefined);
  const queues = new RefreshQueues(redis, 'connectors');
  const events: ConnectorsEvent[] = [];
  const subscription = new EventSubscription(
    connectRedis(redisServer.url, 'background', () => undefined),
    'connectors',
  );
  subscription.on('event', (event) => events.push(event));

  return {
    vaultServer,
    redisServer,
    provider,
    env,
    admin,
    redis,
    queues,
    /** What was announced, in the order of its arrival. */
    events,
    connect: (id: CredentialId, options?: ConnectOptions) =>
      connect({ admin, provider, scheduling: { queues, now: Date.now } }, id, options),
    /** The requests with which workers spend refresh tokens. */
    refreshRequests: () =>
      provider.tokenRequests.filter(({ grantType }) => grantType !== 'authorization_code'),
    /** The job of a credential, once it is in this state. */
    jobAs: (state: JobState, data: RefreshJobData) =>
      vi.waitFor(
        async () => {
          expect(await (await queues.find(data))?.getState()).toBe(state);
          return (await queues.find(data)) as RefreshJob;
        },
        { timeout: 15_000, interval: 20 },
      ),
    /** The tokens must work: the authorization server revokes a grant whose refresh token is spent twice. */
    expectLivingGrant: async (id: CredentialId) => {
      const { accessToken } = await admin.getCredentials(id.tenantId, id.integration);
      expect(await isActive(provider, accessToken)).toBe(true);
    },
    isActive: (token: string) => isActive(provider, token),
    /** Forgets every credential and every job. */
    async clear() {
      for (const tenant of await admin.credentials.listTenants())
        await admin.deleteCredentials(tenant, 'demo');
      await redis.flushall();
      provider.faults.clear();
      provider.tokenRequests.length = 0;
      events.length = 0;
    },
    stored: (id: CredentialId) => admin.credentials.get(id).then(({ credential }) => credential),
    /** What Vault still has of a tenant. */
    async leftOf(tenantId: string): Promise<string[]> {
      const paths = [
        `secret/metadata/${tenantId}/demo`,
        `transit/keys/${tenantId}`,
        `transit-refresh/keys/${tenantId}`,
      ];
      const answers = await Promise.all(
        paths.map((path) => fetch(`${address}/v1/${path}`, { headers: { 'x-vault-token': token } })),
      );
      return paths.filter((_, index) => answers[index]?.status !== 404);
    },
    async close() {
      subscription.close();
      redis.disconnect();
      await admin.close();
      await Promise.all([vaultServer.close(), redisServer.close(), provider.close()]);
      await rm(folder, { recursive: true });
    },
  };
}

async function environment(
  folder: string,
  vaultAddress: string,
  redisUrl: string,
  provider: RunningAuthorizationServer,
  { demo: changes, more }: WorldOptions,
): Promise<Record<string, string>> {
  const [client] = provider.clients;
  const file = join(folder, 'connectors.yaml');
  const demo = {
    provider: 'oidc',
    issuer: provider.issuer,
    clientId: client?.clientId,
    upstream: { rest: 'http://127.0.0.1:9' },
    ...changes,
  };
  // JSON is YAML.
  await writeFile(file, JSON.stringify({ integrations: { demo, ...more } }));
  return {
    HOST: '127.0.0.1',
    CONSOLE_PORT: '0',
    ADMIN_TOKEN: adminToken,
    VAULT_ADDR: vaultAddress,
    VAULT_ROLE_ID: (await readFile(join(folder, 'gateway/role-id'), 'utf8')).trim(),
    VAULT_SECRET_ID_FILE: join(folder, 'gateway/secret-id'),
    VAULT_MAX_RETRIES: '0',
    REDIS_URL: redisUrl,
    CONNECTORS_CONFIG: file,
    DEMO_CLIENT_SECRET: client?.clientSecret ?? '',
    EGRESS_ALLOW_HOSTS: '127.0.0.1',
    JOB_LOCK_SECONDS: '1',
    STALLED_INTERVAL_SECONDS: '1',
  };
}

function newClient({ redirectUris = [] }: WorldOptions): OAuthClient {
  const clientSecret = randomBytes(24).toString('base64url');
  return { clientId: 'connectors', clientSecret, redirectUris: [redirectUri, ...redirectUris] };
}

/** Whether a token works, in the word of the server that issued it. */
export async function isActive(
  { introspectionEndpoint, introspectionClient }: RunningAuthorizationServer,
  token: string,
): Promise<boolean> {
  const { clientId, clientSecret } = introspectionClient;
  const response = await fetch(introspectionEndpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
    body: new URLSearchParams({ token }),
  });
  return ((await response.json()) as { active: boolean }).active;
}

interface ConnectOptions {
  /** Seconds until the access token expires, as far as the worker knows: 0, the default, makes its refresh due. */
  expiresIn?: number;
  /** Without it the job is left to a sweep. */
  isScheduled?: boolean;
  /** What its refresh meets at the token endpoint; once, unless told. */
  meets?: Fault;
  times?: number;
}

interface ConnectDeps {
  admin: VaultClient;
  provider: RunningAuthorizationServer;
  scheduling: Parameters<typeof scheduleRefresh>[0];
}

/** Lets a user consent, and stores what was granted. */
async function connect(
  { admin, provider, scheduling }: ConnectDeps,
  id: CredentialId,
  { expiresIn = 0, isScheduled = true, meets, times }: ConnectOptions = {},
): Promise<RefreshJobData> {
  const [client] = provider.clients;
  if (client === undefined) throw new Error('the authorization server has no client');
  const scopes = ['openid', 'offline_access', 'api:read'];
  const { clientId, clientSecret } = client;
  const granted = await grantAs(provider, {
    clientId,
    clientSecret,
    redirectUri,
    scopes,
    login: id.tenantId,
  });
  const stored = await admin.storeCredentials(id.tenantId, id.integration, {
    accessToken: granted.access_token,
    refreshToken: granted.refresh_token,
    expiresAt: new Date(Date.now() + expiresIn * 1_000),
    scopes,
    tokenType: granted.token_type,
    integration: id.integration,
  });
  if (meets !== undefined) provider.faults.next(meets, times);
  if (isScheduled) await scheduleRefresh(scheduling, id, stored);
  return { ...id, revision: stored.metadata.revision };
}

/** A worker in this process. */
export async function startInProcess(env: Record<string, string>): Promise<WorkerApp & { lines: string[] }> {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(...chunk.toString().trim().split('\n'));
      done();
    },
  });
  return { ...(await startApp(readWorkerConfig(env), createLogger('worker', 'debug', sink))), lines };
}
