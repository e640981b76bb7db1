import { randomBytes } from 'node:crypto';
import {
  grantAs,
  provisionVault,
  startAuthorizationServer,
  startEmbeddedVault,
  startRedis,
  type OAuthClient,
} from '@connectors/dev-servers';
import { EgressGuard } from '@connectors/egress';
import { Discovery, loadIntegrations } from '@connectors/oauth';
import {
  connectRedis,
  RefreshQueues,
  VaultClient,
  type ConnectorsEvent,
  type CredentialId,
  type RefreshJobData,
} from '@connectors/vault-core';
import { Spool, storeGranted, type RefreshEngine } from '../src/index.ts';

const redirectUri = 'http://127.0.0.1/callback';

export const limits = { attemptMs: 30_000, requestMs: 10_000, clockSkewMs: 5_000, cooldownMs: 60_000 };

/**
 * Everything a refresh needs, for real: Vault, Redis and an authorization server that revokes a grant on re-use.
 *
 * @param more integrations besides `demo`, at the same authorization server unless their fields say otherwise
 */
export async function startRefresh(more: Record<string, object> = {}) {
  const [vaultServer, redisServer, provider] = await Promise.all([
    startEmbeddedVault(),
    startRedis(),
    startAuthorizationServer({
      accessTokenTtl: 3600,
      clients: [newClient('connectors'), newClient('tenants-own')],
    }),
  ]);
  await provisionVault({ address: vaultServer.url, token: vaultServer.rootToken, auditLog: 'off' });
  const redis = connectRedis(redisServer.url, 'background', () => undefined);
  const goneRedis = connectRedis('redis://127.0.0.1:1', 'request', () => undefined);
  const vault = new VaultClient({ address: vaultServer.url, token: vaultServer.rootToken, maxRetries: 0 });
  const queues = new RefreshQueues(redis, 'connectors');
  const guard = new EgressGuard({ allow: ['127.0.0.1'] });
  const [client, tenantsOwn] = provider.clients;
  if (client === undefined) throw new Error('the authorization server has no client');
  const entry = {
    provider: 'oidc',
    issuer: provider.issuer,
    clientId: client.clientId,
    clientSecretEnv: 'CLIENT_SECRET',
    upstream: { rest: 'http://127.0.0.1:9' },
  };
  const entries = Object.entries({ demo: {}, ...more }).map(([id, fields]) => [id, { ...entry, ...fields }]);
  const { integrations, problems } = loadIntegrations({
    // JSON is YAML.
    yaml: JSON.stringify({ integrations: Object.fromEntries(entries) as object }),
    env: { CLIENT_SECRET: client.clientSecret },
  });
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const events: ConnectorsEvent[] = [];
  const unsaved: CredentialId[] = [];
  const unrevoked: CredentialId[] = [];

  /** A worker's engine. Each has a clock that can be set ahead, by milliseconds. */
  const newEngine = (clock = { ahead: 0 }, stopping = new AbortController().signal): RefreshEngine => ({
    credentials: vault.credentials,
    queues,
    integrations,
    discovery: new Discovery({ guard }),
    guard,
    announce: (event) => Promise.resolve(void events.push(event)),
    spool: new Spool(redis, 'connectors', vault.spoolKeys, Date.now),
    stopping,
    onUnsaved: (id) => unsaved.push(id),
    onUnrevoked: (id) => unrevoked.push(id),
    now: () => Date.now() + clock.ahead,
    monotonic: () => performance.now() + clock.ahead,
    limits,
  });

  /** Lets a user consent, and stores what was granted. */
  async function connect(id: CredentialId): Promise<RefreshJobData> {
    const { clientId, clientSecret } = client as NonNullable<typeof client>;
    const scopes = ['openid', 'offline_access', 'api:read'];
    const granted = await grantAs(provider, {
      clientId,
      clientSecret,
      redirectUri,
      scopes,
      login: id.tenantId,
    });
    const stored = await storeGranted(vault, newEngine(), id, {
      accessToken: granted.access_token,
      refreshToken: granted.refresh_token,
      expiresAt: new Date(Date.now() + granted.expires_in * 1000),
      scopes: granted.scope.split(' '),
      tokenType: granted.token_type,
      integration: id.integration,
    });
    provider.tokenRequests.length = 0;
    events.length = 0;
    unsaved.length = 0;
    return { ...id, revision: stored.metadata.revision };
  }

  return {
    vault,
    vaultServer,
    redisServer,
    redis,
    goneRedis,
    queues,
    integrations,
    guard,
    provider,
    tenantsOwn,
    events,
    unsaved,
    unrevoked,
    newEngine,
    connect,
    async close() {
      redis.disconnect();
      goneRedis.disconnect();
      await vault.close();
      await Promise.all([vaultServer.close(), redisServer.close(), provider.close()]);
    },
  };
}

/** A client of the authorization server, for users and for itself. */
function newClient(clientId: string): OAuthClient {
  const clientSecret = randomBytes(24).toString('base64url');
  return { clientId, clientSecret, redirectUris: [redirectUri], actsForItself: true };
}

export type RefreshWorld = Awaited<ReturnType<typeof startRefresh>>;
