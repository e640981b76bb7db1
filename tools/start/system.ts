import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  connectRedis,
  EventSubscription,
  publishEvent,
  RefreshQueues,
  VaultClient,
  vaultOptions,
} from '@connectors/vault-core';
import { stringify } from 'yaml';
import * as demo from './demo-tenant.ts';
import {
  appEnvironment,
  keepChild,
  redisPrefix,
  startDemoServers,
  usingRedis,
  usingVault,
  type Backends,
  type Start,
} from './backends.ts';
import { shownUrl } from './given.ts';
import type { Running } from './keep-running.ts';
import { localUrl, ports } from './ports.ts';
import { live, liveEvent, liveRequest, progress, summary } from './screen.ts';
import { dataDir, keptSecret, readRunFile, writeRunFile, type RunFile } from './state.ts';

/**
 * Starts every part in the order in which they need each other, and ends them in the opposite one.
 *
 * @throws {Error} when a part does not start, and when `stop` is aborted before all run
 */
export async function runSystem(stop: AbortSignal): Promise<void> {
  const running: Running[] = [];
  const start: Start = { running, stop };
  const stopped = once(stop, 'abort');
  try {
    const backends: Backends = {
      redisUrl: await usingRedis(start),
      vault: await usingVault(start),
      demo: await startDemoServers(start, keptSecret('demo-client-secret')),
      adminToken: keptSecret('admin-token'),
    };
    writeIntegrations(backends);
    await startApps(start, appEnvironments(backends));
    const interrupted = stopped.then(() => Promise.reject(new Error('interrupted')));
    const close = await Promise.race([connectAndTell(backends), interrupted]);
    await stopped;
    close();
  } finally {
    for (const part of running.toReversed()) {
      progress(`stopping ${part.name}`);
      await part.stop();
    }
  }
}

const integrationsFile = join(dataDir, 'connectors.yaml');

function writeIntegrations({ demo: servers }: Backends): void {
  const entry = {
    provider: 'oidc',
    name: 'Demo',
    issuer: servers.issuer,
    clientId: demo.clientId,
    scopes: demo.scopes,
    upstream: { rest: servers.restUrl, mcp: servers.mcpUrl },
  };
  writeFileSync(integrationsFile, stringify({ integrations: { [demo.integration]: entry } }));
}

/** What the two apps are started with. */
function appEnvironments(backends: Backends): RunFile['environments'] {
  const worker = {
    ...appEnvironment(backends, 'gateway', integrationsFile),
    CONSOLE_PORT: String(ports.console.number),
    CONSOLE_URL: localUrl('console'),
    ADMIN_TOKEN: backends.adminToken,
    SWEEP_INTERVAL_SECONDS: process.env['SWEEP_INTERVAL_SECONDS'] ?? '60',
    [`${demo.integration.toUpperCase()}_CLIENT_SECRET`]: backends.demo.clientSecret,
  };
  const proxy = {
    ...appEnvironment(backends, 'proxy', integrationsFile),
    PORT: String(ports.proxy.number),
    CONSOLE_URL: localUrl('console'),
    MCP_SESSION_KEY: keptSecret('mcp-session-key'),
  };
  return { worker, proxy };
}

async function startApps(start: Start, { worker, proxy }: RunFile['environments']): Promise<void> {
  await keepChild(
    start,
    { name: 'worker', module: 'apps/worker/src/main.ts', env: worker },
    `${localUrl('console')}/readyz`,
  );
  await keepChild(
    start,
    { name: 'proxy', module: 'apps/proxy/src/main.ts', env: proxy, onLine: liveRequest },
    `${localUrl('proxy')}/readyz`,
  );
}

/** Connects the demo tenant if it is not, prints how to call, and shows events from then on. */
async function connectAndTell(backends: Backends): Promise<() => void> {
  const redis = connectRedis(backends.redisUrl, 'background', () => undefined);
  const queues = new RefreshQueues(redis, redisPrefix);
  const vault = new VaultClient(vaultOptions(backends.vault.config));
  const announce = (event: Parameters<typeof publishEvent>[2]) => publishEvent(redis, redisPrefix, event);

  if (await demo.isConnected(vault)) {
    progress('found the demo tenant of an earlier start');
  } else {
    progress('connecting the demo tenant: login and consent at the authorization server');
    await demo.connectDemoTenant({ vault, queues, announce }, backends.demo, backends.demo.clientSecret);
  }
  const run = describeRun(backends, await demo.ensureAgentKey(vault, readRunFile()?.agentKey));
  writeRunFile(run);
  summary(run, placesOf(backends), await makeConnectLink(run));

  const events = new EventSubscription(
    connectRedis(backends.redisUrl, 'background', () => undefined),
    redisPrefix,
  );
  events.on('event', liveEvent);
  const record = await vault.credentials.find({ tenantId: demo.tenantId, integration: demo.integration });
  live(
    'token',
    `${demo.tenantId}/${demo.integration}, good until ${record?.credential.expiresAt ?? 'further notice'}`,
  );
  return () => {
    events.close();
    redis.disconnect();
  };
}

/** A link with which a second tenant connects in the browser; the demo goes on without, if it cannot be had. */
async function makeConnectLink({ consoleUrl, adminToken }: RunFile): Promise<string | undefined> {
  try {
    const response = await fetch(`${consoleUrl}/admin/tenants/${demo.secondTenantId}/connect-sessions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ integration: demo.integration, expiresInSeconds: 3_600 }),
    });
    return ((await response.json()) as { url?: string }).url;
  } catch {
    return undefined;
  }
}

function describeRun(backends: Backends, agentKey: string): RunFile {
  const { tenantId, integration } = demo;
  const proxyUrl = localUrl('proxy');
  const authorization = `Bearer ${agentKey}`;
  return {
    pid: process.pid,
    proxyUrl,
    consoleUrl: localUrl('console'),
    adminToken: backends.adminToken,
    agentKey,
    tenantId,
    integration,
    rest: { url: `${proxyUrl}/proxy/${integration}/account`, headers: { Authorization: authorization } },
    mcp: {
      url: `${proxyUrl}/mcp/${integration}`,
      headers: {
        Authorization: authorization,
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
      },
    },
    environments: appEnvironments(backends),
  };
}

function placesOf({ redisUrl, vault, demo: servers }: Backends): [string, string][] {
  return [
    ['proxy', localUrl('proxy')],
    ['console and board', localUrl('console')],
    [
      'Vault',
      vault.isEmbedded
        ? `${vault.config.VAULT_ADDR} (embedded: for one machine, not for production)`
        : shownUrl(vault.config.VAULT_ADDR),
    ],
    ['Redis', shownUrl(redisUrl)],
    ['authorization server', servers.issuer],
    ['REST upstream', servers.restUrl],
    ['MCP upstream', servers.mcpUrl],
  ];
}
