import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { provisionVault, startRedis } from '@connectors/dev-servers';
import { keepRunning, type Running } from './children.ts';
import { clientId, redirectUri, tokenSeconds } from './demo-tenant.ts';
import { localUrl, ports } from './ports.ts';
import { progress } from './screen.ts';
import { dataDir, logDir } from './state.ts';

/** What the two apps stand on. */
export interface Backends {
  redisUrl: string;
  vault: { address: string; token: string; isEmbedded: boolean };
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

/** Redis at REDIS_URL, else one of our own. */
export async function usingRedis(running: Running[]): Promise<string> {
  const given = process.env['REDIS_URL'];
  if (given) return given;
  progress('starting Redis');
  const redis = await startRedis({
    port: ports.redis.number,
    dataDir: join(dataDir, 'redis'),
    onProgress: progress,
  });
  running.push({ name: 'Redis', stop: () => redis.close() });
  return redis.url;
}

/** Vault at VAULT_ADDR, else the embedded one; provisioned either way. */
export async function usingVault(running: Running[]): Promise<Backends['vault']> {
  const given = process.env['VAULT_ADDR'];
  const vault = given ? externalVault(given) : await startEmbeddedVault(running);
  progress('provisioning Vault: mounts, policies, roles');
  const auditLog = vault.isEmbedded ? join(logDir, 'vault-audit.log') : 'off';
  await provisionVault({ address: vault.address, token: vault.token, approleDir, auditLog });
  return vault;
}

function externalVault(address: string): Backends['vault'] {
  const token = process.env['VAULT_TOKEN'];
  if (!token)
    throw new Error(
      'VAULT_ADDR is set: set VAULT_TOKEN too, to a token that may create mounts and policies.',
    );
  return { address, token, isEmbedded: false };
}

async function startEmbeddedVault(running: Running[]): Promise<Backends['vault']> {
  progress('starting the embedded Vault');
  const vaultDir = join(dataDir, 'vault');
  const address = localUrl('vault');
  const args = ['--port', String(ports.vault.number), '--data-dir', vaultDir];
  running.push(
    await keepRunning(
      { name: 'vault', module: 'packages/dev-servers/src/vault/main.ts', args },
      `${address}/v1/sys/health`,
    ),
  );
  return { address, token: readFileSync(join(vaultDir, 'root-token'), 'utf8').trim(), isEmbedded: true };
}

/** The authorization server and the two upstreams, as one process. */
export async function startDemoServers(running: Running[], clientSecret: string): Promise<DemoServers> {
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
  ].flat();
  running.push(
    await keepRunning(
      {
        name: 'demo',
        module: 'packages/dev-servers/src/demo/main.ts',
        args,
        env: { CLIENT_SECRET: clientSecret },
        onLine: (line) => {
          if (line.startsWith('{')) endpoints = JSON.parse(line) as Omit<DemoServers, 'clientSecret'>;
        },
      },
      `${localUrl('authorization')}/.well-known/openid-configuration`,
    ),
  );
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
    VAULT_ADDR: vault.address,
    VAULT_ROLE_ID_FILE: join(approleDir, role, 'role-id'),
    VAULT_SECRET_ID_FILE: join(approleDir, role, 'secret-id'),
    REDIS_URL: redisUrl,
    REDIS_PREFIX: redisPrefix,
    CONNECTORS_CONFIG: integrationsFile,
    EGRESS_ALLOW_HOSTS: (['authorization', 'rest', 'mcp'] as const)
      .map((name) => `127.0.0.1:${ports[name].number}`)
      .join(','),
    NODE_COMPILE_CACHE: join(dataDir, 'compile-cache'),
  };
}
