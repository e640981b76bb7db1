import { Writable } from 'node:stream';
import {
  grantAs,
  provisionVault,
  startAuthorizationServer,
  startEmbeddedVault,
  startRedis,
} from '@connectors/dev-servers';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import {
  RefreshScheduler,
  VaultClient,
  type OAuthCredentials,
  type RefreshSchedulerEvents,
  type RefreshSchedulerOptions,
} from '../src/index.ts';

/** Vault, Redis and an authorization server that revokes a grant on re-use, and schedulers for them. */
export async function startDeployment() {
  const [vaultServer, redisServer, provider] = await Promise.all([
    startEmbeddedVault({ rootToken: 'dev-root-token' }),
    startRedis(),
    startAuthorizationServer({ accessTokenTtl: 3_600 }),
  ]);
  const login = { address: vaultServer.url, token: vaultServer.rootToken };
  await provisionVault(login);
  const vault = new VaultClient({ ...login, maxRetries: 0 });
  const redis = new Redis(redisServer.url);
  const [client] = provider.clients;
  if (client === undefined) throw new Error('the authorization server has no client');
  const { clientId, clientSecret } = client;

  // JSON is YAML.
  const connectorsYaml = JSON.stringify({
    integrations: {
      demo: { provider: 'oidc', issuer: provider.issuer, clientId, upstream: { rest: 'http://127.0.0.1:9' } },
    },
  });
  const env = {
    DEMO_CLIENT_SECRET: clientSecret,
    EGRESS_ALLOW_HOSTS: '127.0.0.1',
    JOB_LOCK_SECONDS: '1',
    STALLED_INTERVAL_SECONDS: '1',
  };

  function newScheduler(options: Partial<RefreshSchedulerOptions> = {}): RefreshScheduler {
    const scheduler = new RefreshScheduler({
      vault,
      redisUrl: redisServer.url,
      connectorsYaml,
      log: pino({ level: 'silent' }),
      ...options,
      env: { ...env, ...options.env },
    });
    onTestFinished(() => scheduler.close());
    return scheduler;
  }

  /** What a user grants; its access token expires in so many seconds, as far as anybody here knows. */
  async function grant(user: string, expiresIn: number): Promise<OAuthCredentials> {
    const redirectUri = 'http://127.0.0.1/callback';
    const scopes = ['openid', 'offline_access', 'api:read'];
    const granted = await grantAs(provider, { clientId, clientSecret, redirectUri, scopes, login: user });
    provider.tokenRequests.length = 0;
    return {
      accessToken: granted.access_token,
      refreshToken: granted.refresh_token,
      expiresAt: new Date(Date.now() + expiresIn * 1_000),
      scopes,
      tokenType: granted.token_type,
      integration: 'demo',
    };
  }

  return {
    vault,
    vaultServer,
    redisServer,
    provider,
    connectorsYaml,
    env,
    newScheduler,
    grant,
    /** Forgets every credential and every job. */
    async clear() {
      for (const tenant of await vault.credentials.listTenants())
        await vault.deleteCredentials(tenant, 'demo');
      await redis.flushall();
      provider.faults.clear();
      provider.tokenRequests.length = 0;
    },
    async close() {
      redis.disconnect();
      await vault.close();
      await Promise.all([vaultServer.close(), redisServer.close(), provider.close()]);
    },
  };
}

export type Deployment = Awaited<ReturnType<typeof startDeployment>>;

/** What a scheduler emits, as it comes. */
export function hear(scheduler: RefreshScheduler): [keyof RefreshSchedulerEvents, object][] {
  const heard: [keyof RefreshSchedulerEvents, object][] = [];
  for (const name of ['refresh-success', 'refresh-failed', 'refresh-retry'] as const)
    scheduler.on(name, (event: object) => heard.push([name, event]));
  return heard;
}

/** A log of the caller's own, set as pino is set by default. */
export function keepLog() {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(...chunk.toString().trim().split('\n'));
      done();
    },
  });
  return { lines, log: pino(sink) };
}
