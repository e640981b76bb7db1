import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { provisionVault, startRedis } from '@connectors/dev-servers';
import { readConfig, vaultFields, type VaultConfig } from '@connectors/vault-core';
import { z } from 'zod';
import { startChild, type ChildSpec } from '../fleet/child.ts';
import { startReady } from './children.ts';
import { clientId, consoleCallback, redirectUri, tokenSeconds } from './demo-tenant.ts';
import { keepRunning, type Part, type Running } from './keep-running.ts';
import { givenVault } from './given.ts';
import { localUrl, ports } from './ports.ts';
import { progress } from './screen.ts';
import { dataDir, logDir } from './state.ts';

/** What the two apps stand on. */
export interface Backends {
  redisUrl: string;
  vault: { config: VaultConfig; isEmbedded: boolean };
  demo: DemoServers;
  adminToken: string;
}

interface DemoServers {
  issuer: string;
  authorizationEndpoint: string;
  tokenEndpoint: string;
  restUrl: string;
  mcpUrl: string;
  clientSecret: string;
}

export const redisPrefix = 'connectors';
const approleDir = join(dataDir, 'approle');

/** What runs so far, and the signal that ends the start. */
export interface Start {
  running: Running[];
  stop: AbortSignal;
}

/** Starts a program, waits until `readyUrl` answers, and keeps it running from then on. */
export async function keepChild(
  { running, stop }: Start,
  program: Omit<ChildSpec, 'logDir'>,
  readyUrl: string,
): Promise<void> {
  const spec = { ...program, logDir };
  const child = await startReady(spec, readyUrl, stop);
  running.push(keepRunning(spec.name, child, () => startChild(spec)));
}

/** Redis at REDIS_URL, else one of our own. */
export async function usingRedis({ running, stop }: Start): Promise<string> {
  const given = process.env['REDIS_URL'];
  if (given) return given;
  progress('starting Redis');
  running.push(keepRunning('Redis', await startOwnRedis(stop), startOwnRedis));
  return `redis://127.0.0.1:${ports.redis.number}`;
}

async function startOwnRedis(stop: AbortSignal): Promise<Part> {
  const redis = await startRedis({
    port: ports.redis.number,
    dataDir: join(dataDir, 'redis'),
    onProgress: progress,
    signal: stop,
  });
  return { ended: redis.ended, stop: () => redis.close() };
}

/** Vault at VAULT_ADDR, else the embedded one; provisioned either way. */
export async function usingVault(start: Start): Promise<Backends['vault']> {
  const isEmbedded = !process.env['VAULT_ADDR'];
  const config = isEmbedded ? await startEmbeddedVault(start) : givenVault();
  progress('provisioning Vault: mounts, policies, roles');
  await provisionVault({
    address: config.VAULT_ADDR,
    token: config.VAULT_TOKEN?.reveal() ?? '',
    caFile: config.VAULT_CACERT,
    mounts: {
      transit: config.VAULT_TRANSIT_ENGINE,
      refreshTransit: config.VAULT_REFRESH_TRANSIT_ENGINE,
      kv: config.VAULT_KV_ENGINE,
    },
    approleDir,
    auditLog: isEmbedded ? join(logDir, 'vault-audit.log') : 'off',
    signal: start.stop,
    onProgress: (line) => {
      if (line.includes('waiting')) progress(line);
    },
  });
  return { config, isEmbedded };
}

async function startEmbeddedVault(start: Start): Promise<VaultConfig> {
  progress('starting the embedded Vault');
  const vaultDir = join(dataDir, 'vault');
  const address = localUrl('vault');
  const args = ['--port', String(ports.vault.number), '--data-dir', vaultDir];
  const spec = { name: 'vault', module: 'packages/dev-servers/src/vault/main.ts', args };
  await keepChild(start, spec, `${address}/v1/sys/health`);
  const token = readFileSync(join(vaultDir, 'root-token'), 'utf8').trim();
  return readConfig(z.object(vaultFields), { VAULT_ADDR: address, VAULT_TOKEN: token });
}

/** The authorization server and the two upstreams, as one process. */
export async function startDemoServers(start: Start, clientSecret: string): Promise<DemoServers> {
  progress('starting the authorization server and the upstreams');
  let endpoints: Omit<DemoServers, 'clientSecret'> | undefined;
  const args = [
    ['--data-dir', join(dataDir, 'demo')],
    ['--authorization-port', String(ports.authorization.number)],
    ['--rest-port', String(ports.rest.number)],
    ['--mcp-port', String(ports.mcp.number)],
    ['--access-token-ttl', String(tokenSeconds)],
    ['--client-id', clientId],
    ['--redirect-uri', redirectUri],
    ['--redirect-uri', consoleCallback],
  ].flat();
  const spec: Omit<ChildSpec, 'logDir'> = {
    name: 'demo',
    module: 'packages/dev-servers/src/demo/main.ts',
    args,
    env: { CLIENT_SECRET: clientSecret },
    onLine: (line) => {
      if (line.startsWith('{')) endpoints = JSON.parse(line) as Omit<DemoServers, 'clientSecret'>;
    },
  };
  await keepChild(start, spec, `${localUrl('authorization')}/.well-known/openid-configuration`);
  if (endpoints === undefined)
    throw new Error(`The demo servers did not say where they listen; see ${logDir}/demo.log`);
  return { ...endpoints, clientSecret };
}

/** The environment of an app, as the AppRole it is meant to have. */
export function appEnvironment(
  { redisUrl, vault }: Backends,
  role: 'gateway' | 'proxy',
  integrationsFile: string,
): Record<string, string> {
  return {
    ...placeOf(vault.config),
    VAULT_ROLE_ID_FILE: join(approleDir, role, 'role-id'),
    VAULT_SECRET_ID_FILE: join(approleDir, role, 'secret-id'),
    REDIS_URL: redisUrl,
    REDIS_PREFIX: redisPrefix,
    CONNECTORS_CONFIG: integrationsFile,
    ...ownClients(role),
    EGRESS_ALLOW_HOSTS: (['authorization', 'rest', 'mcp'] as const)
      .map((name) => `127.0.0.1:${ports[name].number}`)
      .join(','),
    // Shorter than the demo's tokens live, so that one that was refused early can be refreshed.
    REFRESH_COOLDOWN_SECONDS: '10',
    NODE_COMPILE_CACHE: join(dataDir, 'compile-cache'),
  };
}

function placeOf(config: VaultConfig): Record<string, string> {
  return {
    VAULT_ADDR: config.VAULT_ADDR,
    VAULT_TRANSIT_ENGINE: config.VAULT_TRANSIT_ENGINE,
    VAULT_REFRESH_TRANSIT_ENGINE: config.VAULT_REFRESH_TRANSIT_ENGINE,
    VAULT_KV_ENGINE: config.VAULT_KV_ENGINE,
    ...(config.VAULT_CACERT === undefined ? {} : { VAULT_CACERT: config.VAULT_CACERT }),
  };
}

/** What switches integrations on in this shell, such as `GITHUB_CLIENT_ID`. The proxy gets no secret. */
function ownClients(role: 'gateway' | 'proxy'): Record<string, string> {
  const names = role === 'gateway' ? /_CLIENT_(?:ID|SECRET|KEY)$/ : /_CLIENT_ID$/;
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value && names.test(name) ? [[name, value]] : [],
    ),
  );
}
