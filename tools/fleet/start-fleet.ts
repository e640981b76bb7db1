import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  provisionVault,
  startAuthorizationServer,
  startMcpUpstream,
  startRestUpstream,
  type CreateMcpServer,
  type OAuthClient,
  type ProtectedServer,
  type RestUpstream,
  type RunningAuthorizationServer,
} from '@connectors/dev-servers';
import { storeGranted } from '@connectors/refresh';
import {
  connectRedis,
  EventSubscription,
  publishEvent,
  RefreshQueues,
  VaultClient,
  type AgentSettings,
  type ConnectorsEvent,
  type OAuthCredentials,
} from '@connectors/vault-core';
import { grantCredentials } from './grant.ts';
import { launchProgram, launchRedis, startMember, type Member } from './member.ts';

export interface FleetOptions {
  workers: number;
  proxies: number;
  /** More environment for each worker, and for each proxy. */
  workerEnv?: Record<string, string>;
  proxyEnv?: Record<string, string>;
  /** How long the authorization server's access tokens live, in seconds; an hour unless told. */
  accessTokenTtl?: number;
  /** A token endpoint of its own for each process of a worker, by the worker's name; the authorization server's unless told. */
  tokenUrl?: (worker: string) => string;
  /** The integration's own limit of token requests; the product's unless told. */
  refreshesPerSecond?: number;
  /** What the MCP upstream serves; the demo's tools unless told. */
  createMcpServer?: CreateMcpServer;
  /** Another MCP upstream than that one. */
  mcpUrl?: string;
}

/** The one integration of a fleet. Its credentials belong to the tenants that {@link Fleet.connect} names. */
export const integration = 'demo';
const prefix = 'fleet';
const redirectUri = 'http://127.0.0.1/callback';
const callbackUri = `http://127.0.0.1/connect/callback/${integration}`;
const scopes = ['openid', 'offline_access', 'api:read'];

export type Fleet = Awaited<ReturnType<typeof startFleet>>;

/**
 * Starts several workers and proxies for tools and tests that show how they behave together. Each is a process of its own,
 * logged in to Vault as its AppRole; so are Redis, with an append-only file, and the embedded Vault. Each of them can be
 * killed, stopped and started again where it was. The authorization server, which knows of every token request, and the
 * upstreams run in this process.
 *
 * @param dir where data and logs lie; the caller makes and removes it
 * @throws {Error} when a part does not start; none is left running then
 */
export async function startFleet(dir: string, options: FleetOptions) {
  const parts: { close(): unknown }[] = [];
  const keep = <T extends { close(): unknown }>(part: T): T => (parts.push(part), part);
  const keepMember = async (starting: Promise<Member>): Promise<Member> => {
    const member = await starting;
    keep({ close: () => member.stop() });
    return member;
  };
  const close = async (): Promise<void> => {
    for (const part of parts.splice(0).toReversed()) await part.close();
  };
  try {
    const backends = await startBackends(dir, options, keep, keepMember);
    const { workers, proxies } = await startApps(dir, options, backends, keepMember);
    return {
      ...backends,
      ...openClients(backends, keep),
      workers,
      proxies,
      /** What an app needs to reach Vault and Redis, for one that is started apart. */
      environment: (role: 'gateway' | 'proxy') => appEnvironment(dir, backends, role),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type Keep = <T extends { close(): unknown }>(part: T) => T;
type KeepMember = (starting: Promise<Member>) => Promise<Member>;

interface Backends {
  redis: Member;
  /** Its state and its keys lie in `{dir}/vault`. */
  vault: Member;
  vaultToken: string;
  authorizationServer: RunningAuthorizationServer;
  client: OAuthClient;
  rest: RestUpstream;
  mcp: ProtectedServer;
  /** What the integration has as its MCP upstream. */
  mcpUrl: string;
  /** What all proxies sign MCP session ids with. */
  sessionKey: string;
}

async function startBackends(
  dir: string,
  { accessTokenTtl = 3600, createMcpServer: createServer, mcpUrl }: FleetOptions,
  keep: Keep,
  keepMember: KeepMember,
): Promise<Backends> {
  const logDir = join(dir, 'logs');
  mkdirSync(logDir, { recursive: true });
  const redis = await keepMember(startMember('redis', (port) => launchRedis(port, join(dir, 'redis'))));
  const vault = await keepMember(
    startMember('vault', (port) =>
      launchProgram({
        name: 'vault',
        module: 'packages/dev-servers/src/vault/main.ts',
        logDir,
        args: ['--port', String(port), '--data-dir', join(dir, 'vault')],
      }),
    ),
  );
  const vaultToken = readFileSync(join(dir, 'vault/root-token'), 'utf8').trim();
  await provisionVault({ address: vault.url, token: vaultToken, approleDir: join(dir, 'approle') });
  const clientSecret = randomBytes(24).toString('base64url');
  const client = { clientId: 'connectors', clientSecret, redirectUris: [redirectUri, callbackUri] };
  const authorizationServer = keep(await startAuthorizationServer({ accessTokenTtl, clients: [client] }));
  const rest = keep(await startRestUpstream({ authorizationServer }));
  const mcp = keep(await startMcpUpstream({ authorizationServer, ...(createServer && { createServer }) }));
  const sessionKey = randomBytes(32).toString('base64url');
  return {
    redis,
    vault,
    vaultToken,
    authorizationServer,
    client,
    rest,
    mcp,
    mcpUrl: mcpUrl ?? `${mcp.url}/mcp`,
    sessionKey,
  };
}

async function startApps(
  dir: string,
  { workers, proxies, workerEnv, proxyEnv, tokenUrl, refreshesPerSecond }: FleetOptions,
  backends: Backends,
  keepMember: KeepMember,
): Promise<{ workers: Member[]; proxies: Member[] }> {
  const start = async (
    app: 'worker' | 'proxy',
    count: number,
    env: (port: number) => Record<string, string>,
  ) => {
    const starting = Array.from({ length: count }, (_, index) => {
      const name = `${app}-${index + 1}`;
      const spec = { name, module: `apps/${app}/src/main.ts`, logDir: join(dir, 'logs') };
      const launch = (port: number) => {
        const ownTokenUrl = app === 'worker' ? tokenUrl?.(name) : undefined;
        const file = writeIntegrations(dir, name, backends, ownTokenUrl, refreshesPerSecond);
        return launchProgram({ ...spec, env: { CONNECTORS_CONFIG: file, ...env(port) } });
      };
      return keepMember(startMember(name, launch));
    });
    // One that fails must not let the others be forgotten.
    await Promise.allSettled(starting);
    return Promise.all(starting);
  };
  return {
    workers: await start('worker', workers, (port) => ({
      ...appEnvironment(dir, backends, 'gateway'),
      ...consoleAt(port),
      DEMO_CLIENT_SECRET: backends.client.clientSecret,
      ...workerEnv,
    })),
    proxies: await start('proxy', proxies, (port) => ({
      ...appEnvironment(dir, backends, 'proxy'),
      PORT: String(port),
      MCP_SESSION_KEY: backends.sessionKey,
      ...proxyEnv,
    })),
  };
}

function consoleAt(port: number): Record<string, string> {
  return { CONSOLE: 'off', CONSOLE_PORT: String(port), CONSOLE_URL: `http://127.0.0.1:${port}` };
}

/** @returns the file of this process */
function writeIntegrations(
  dir: string,
  name: string,
  { authorizationServer, client, rest, mcpUrl }: Backends,
  tokenUrl: string | undefined,
  refreshesPerSecond: number | undefined,
): string {
  const { issuer, authorizationEndpoint: authorizeUrl } = authorizationServer;
  const { clientId } = client;
  const endpoints = tokenUrl === undefined ? {} : { authorizeUrl, tokenUrl, clientAuthentication: 'basic' };
  const upstream = { rest: rest.url, mcp: mcpUrl };
  const entry = { provider: 'oidc', issuer, ...endpoints, clientId, scopes, upstream, refreshesPerSecond };
  const file = join(dir, `${name}.yaml`);
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ integrations: { [integration]: entry } }));
  return file;
}

function appEnvironment(
  dir: string,
  { redis, vault }: Backends,
  role: 'gateway' | 'proxy',
): Record<string, string> {
  return {
    VAULT_ADDR: vault.url,
    VAULT_ROLE_ID_FILE: join(dir, 'approle', role, 'role-id'),
    VAULT_SECRET_ID_FILE: join(dir, 'approle', role, 'secret-id'),
    REDIS_URL: redis.url,
    REDIS_PREFIX: prefix,
    EGRESS_ALLOW_HOSTS: '127.0.0.1',
    NODE_COMPILE_CACHE: join(tmpdir(), 'connectors-compile-cache'),
  };
}

/** What an operator has at hand: Vault as root, the queues and the events. */
function openClients({ redis, vault, vaultToken, authorizationServer, client }: Backends, keep: Keep) {
  const connect = () => connectRedis(redis.url, 'background', () => undefined);
  const connection = connect();
  keep({ close: () => connection.disconnect() });
  const admin = keep(new VaultClient({ address: vault.url, token: vaultToken }));
  const queues = new RefreshQueues(connection, prefix);
  const announce = (event: ConnectorsEvent) => publishEvent(connection, prefix, event);
  const scheduling = { queues, announce, now: Date.now };

  /** A tenant's user consents. Nothing of it is stored yet. */
  const grant = (tenantId: string): Promise<OAuthCredentials> => {
    const { clientId, clientSecret } = client;
    const request = { clientId, clientSecret, redirectUri, scopes, login: tenantId };
    return grantCredentials(authorizationServer, request, integration);
  };
  return {
    admin,
    scheduling,
    redisConnection: connection,
    events: keep(new EventSubscription(connect(), prefix)),
    grant,
    /** A tenant's user consents, and what was granted is stored and scheduled as the console does it. */
    connect: async (tenantId: string) => {
      const granted = await grant(tenantId);
      const stored = await storeGranted(admin, scheduling, { tenantId, integration }, granted);
      return { granted, stored };
    },
    /** An agent's key. */
    createAgent: async (agent: AgentSettings) => (await admin.agents.create(agent)).key.reveal(),
  };
}
