import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import {
  grantAs,
  startAuthorizationServer,
  startMcpUpstream,
  startRedis,
  startRestUpstream,
  type CreateMcpServer,
  type OAuthClient,
} from '@connectors/dev-servers';
import { EgressGuard } from '@connectors/egress';
import { loadIntegrations } from '@connectors/oauth';
import {
  connectRedis,
  createLogger,
  EventSubscription,
  publishEvent,
  RefreshQueues,
  Secret,
  VaultClient,
  type ConnectorsEvent,
  type CredentialId,
  type Grant,
} from '@connectors/vault-core';
import { countInRedis } from '../src/access/count-in-redis.ts';
import { buildApp, type ProxyDeps } from '../src/app.ts';
import { prepareUpstreams } from '../src/upstream/upstreams.ts';
import { startVault } from './start-vault.ts';

export type System = Awaited<ReturnType<typeof startSystem>>;

type Limits = Pick<
  ProxyDeps,
  | 'refreshWaitMs'
  | 'refreshCooldownMs'
  | 'headersTimeoutMs'
  | 'tenantRate'
  | 'vaultReads'
  | 'occupancy'
  | 'maxKeptBytes'
  | 'sampleLag'
  | 'proxyUrl'
  | 'trustedProxies'
  | 'agentIdleMs'
  | 'http2'
  | 'credentialCacheMs'
  | 'staleMaxMs'
  | 'tokens'
>;

export interface SystemOptions extends Partial<Limits> {
  /** More integrations, each with the URL of its REST upstream. */
  upstreams?: Record<string, string>;
  /** More integrations, as `connectors.yaml` would have them. */
  entries?: Record<string, object>;
  guard?: EgressGuard;
  /** What the MCP upstream serves; the demo's tools unless told. */
  createMcpServer?: CreateMcpServer;
}

export const prefix = 'test';
const redirectUri = 'http://127.0.0.1/callback';

/**
 * Vault, Redis, the authorization server and its two upstreams, and a proxy in front of them that has no more rights than
 * its AppRole gives it.
 */
export async function startSystem({
  upstreams: others = {},
  entries = {},
  createMcpServer: createServer,
  guard = new EgressGuard({ allow: ['127.0.0.1'] }),
  ...limits
}: SystemOptions = {}) {
  const secret = randomBytes(12).toString('hex');
  const client: OAuthClient = { clientId: 'connectors', clientSecret: secret, redirectUris: [redirectUri] };
  const [vaultServer, redis, authorizationServer] = await Promise.all([
    startVault(),
    startRedis(),
    startAuthorizationServer({ clients: [client], accessTokenTtl: 3_600 }),
  ]);
  const [rest, mcp] = await Promise.all([
    startRestUpstream({ authorizationServer }),
    startMcpUpstream({ authorizationServer, ...(createServer && { createServer }) }),
  ]);
  const clock = { offset: 0, now: () => Date.now() + clock.offset };
  const lines: string[] = [];
  const audited: string[] = [];
  const integrations = integrationsOf(
    authorizationServer,
    client,
    {
      demo: { rest: rest.url, mcp: `${mcp.url}/mcp` },
      'rest-only': { rest: `${rest.url}/base/` },
      ...Object.fromEntries(Object.entries(others).map(([id, url]) => [id, { rest: url }])),
    },
    entries,
  );
  const { upstreams } = prepareUpstreams(integrations, guard);

  const admin = new VaultClient({ address: vaultServer.url, token: vaultServer.rootToken, now: clock.now });
  const vault = new VaultClient({ address: vaultServer.url, appRole: vaultServer.appRole, maxRetries: 0 });
  const requests = connectRedis(redis.url, 'request', () => undefined);
  const events = new EventSubscription(
    connectRedis(redis.url, 'background', () => undefined),
    prefix,
  );
  const log = createLogger('proxy', 'info', sink(lines));
  const app = buildApp({
    vault,
    queues: new RefreshQueues(requests, prefix),
    events,
    upstreams,
    guard,
    log,
    auditLog: createLogger('proxy', 'info', sink(audited)).child({ audit: true }),
    now: clock.now,
    tokens: undefined,
    consoleUrl: 'http://console.test',
    proxyUrl: undefined,
    trustedProxies: undefined,
    credentialCacheMs: 60_000,
    staleMaxMs: 3_600_000,
    refreshWaitMs: 15_000,
    refreshCooldownMs: 60_000,
    headersTimeoutMs: 60_000,
    mcpSessionKey: new Secret('a-session-key-of-the-tests-0123456789'),
    mcpOrigins: new Set(['https://app.test']),
    tenantRate: { perSecond: 0, burst: 1 },
    countTogether: countInRedis(requests, prefix),
    vaultReads: { perSecond: 1_000, burst: 1_000 },
    occupancy: { maxRequests: 10_000, maxPerIntegration: 1_000, maxStreams: 2_000 },
    maxKeptBytes: 64 * 1024 * 1024,
    maxLagMs: 200,
    // No test depends on how busy the machine is.
    sampleLag: () => () => undefined,
    agentIdleMs: 60_000,
    http2: false,
    ...limits,
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const publisher = connectRedis(redis.url, 'background', () => undefined);

  return {
    app,
    url,
    vaultServer,
    redis,
    authorizationServer,
    integrations,
    guard,
    rest,
    mcp,
    admin,
    events,
    clock,
    /** What the proxy has logged. */
    lines,
    /** The lines of its audit trail. */
    audited,
    publish: (event: ConnectorsEvent) => publishEvent(publisher, prefix, event),
    /** An agent with one grant. */
    createAgent: async ({ expiresAt, ...grant }: Omit<Grant, 'expiresAt'> & { expiresAt?: Date }) => {
      const settings = { name: 'an agent', grants: [grant], expiresAt };
      const { agent, key } = await admin.agents.create(settings);
      return { id: agent.id, key: key.reveal() };
    },
    /** A tenant's user goes through the real authorization flow; the tokens are stored as a worker stores them. */
    connect: async (tenantId: string, integration = 'demo', fields?: Record<string, string>) => {
      const login = `${tenantId}-user`;
      const scopes = ['openid', 'api:read', 'api:write'];
      const granted = await grantAs(authorizationServer, {
        clientId: client.clientId,
        clientSecret: client.clientSecret,
        redirectUri,
        scopes,
        login,
      });
      const stored = await admin.storeCredentials(tenantId, integration, {
        accessToken: granted.access_token,
        refreshToken: granted.refresh_token,
        expiresAt: new Date(clock.now() + granted.expires_in * 1_000),
        scopes,
        tokenType: granted.token_type,
        integration,
        fields,
      });
      return { accessToken: granted.access_token, refreshToken: granted.refresh_token, stored };
    },
    /** Every key in Redis with its value. */
    dumpRedis: async () => {
      const keys = await publisher.keys('*');
      return Promise.all(
        keys.map(async (key) => [key, (await publisher.dumpBuffer(key))?.toString('latin1')]),
      );
    },
    /** The refresh token is dead, and a worker has found out. */
    markDead: async (id: CredentialId) => {
      const { credential, version } = await admin.credentials.get(id);
      const metadata = { ...credential.metadata, status: 'needs_reauth' as const };
      await admin.credentials.write(id, { ...credential, metadata }, version);
    },
    close: async () => {
      const closed = app.close();
      // Not even those that a client has opened and not used yet, which Node takes for busy.
      app.server.closeAllConnections();
      await closed;
      events.close();
      requests.disconnect();
      publisher.disconnect();
      await Promise.all([vault.close(), admin.close()]);
      await Promise.all([rest.close(), mcp.close(), authorizationServer.close(), redis.close()]);
      await vaultServer.close();
    },
  };
}

function integrationsOf(
  endpoints: { authorizationEndpoint: string; tokenEndpoint: string },
  client: OAuthClient,
  upstreams: Record<string, { rest?: string; mcp?: string }>,
  more: Record<string, object>,
) {
  const entry = {
    authorizeUrl: endpoints.authorizationEndpoint,
    tokenUrl: endpoints.tokenEndpoint,
    clientAuthentication: 'basic',
    clientId: client.clientId,
    clientSecretEnv: 'CLIENT_SECRET',
  };
  const entries = [
    ...Object.entries(upstreams).map(([id, upstream]) => [id, { ...entry, upstream }] as const),
    ...Object.entries(more).map(([id, fields]) => [id, { ...entry, ...fields }] as const),
  ];
  const { integrations, problems } = loadIntegrations({
    // JSON is YAML.
    yaml: JSON.stringify({ integrations: Object.fromEntries(entries) }),
    env: { CLIENT_SECRET: client.clientSecret },
  });
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return integrations;
}

/** A destination of logs. */
export function sink(lines: string[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(...chunk.toString().trim().split('\n'));
      done();
    },
  });
}
