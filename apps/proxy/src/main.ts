import { randomBytes } from 'node:crypto';
import {
  connectRedis,
  createLogger,
  EventSubscription,
  explainStart,
  onceAskedToStop,
  RefreshQueues,
  Secret,
  VaultClient,
  vaultOptions,
  warnOfRedis,
} from '@connectors/vault-core';
import { countInRedis } from './access/count-in-redis.ts';
import { sampleLag } from './access/load-shedder.ts';
import { buildApp } from './app.ts';
import { readProxyConfig } from './config.ts';

try {
  await start();
} catch (error) {
  process.stderr.write(`${explainStart('proxy', 'PORT', error)}\n`);
  process.exit(1);
}

async function start(): Promise<void> {
  const { config, ...described } = readProxyConfig(process.env);
  const log = createLogger('proxy', config.LOG_LEVEL);
  const warn = warnOfRedis(log);
  const vault = new VaultClient(vaultOptions(config));
  const requests = connectRedis(config.REDIS_URL, 'request', warn);
  const background = connectRedis(config.REDIS_URL, 'background', warn);
  const queues = new RefreshQueues(requests, config.REDIS_PREFIX);
  const events = new EventSubscription(background, config.REDIS_PREFIX);
  const app = buildApp({
    vault,
    queues,
    events,
    ...described,
    log,
    auditLog: log.child({ audit: true }, { level: config.AUDIT_LOG === 'on' ? 'info' : 'silent' }),
    now: Date.now,
    countTogether: countInRedis(requests, config.REDIS_PREFIX),
    ...settingsOf(config),
    ...limitsOf(config),
    sampleLag,
  });

  const url = await app.listen({ host: config.HOST, port: config.PORT });
  log.info({ url, vault: config.VAULT_ADDR, integrations: [...described.upstreams.keys()] }, 'proxy started');

  onceAskedToStop(process, async () => {
    log.info('finishing what is in flight');
    // Streams may never end by themselves.
    const timer = setTimeout(() => app.server.closeAllConnections(), config.SHUTDOWN_SECONDS * 1_000);
    await app.close();
    clearTimeout(timer);
    events.close();
    requests.disconnect();
    await vault.close();
    log.info('proxy stopped');
    process.exit(0);
  });
}

function settingsOf(config: ReturnType<typeof readProxyConfig>['config']) {
  return {
    consoleUrl: config.CONSOLE_URL,
    proxyUrl: config.PROXY_URL,
    trustedProxies: config.TRUSTED_PROXIES,
    credentialCacheMs: config.CREDENTIAL_CACHE_SECONDS * 1_000,
    staleMaxMs: config.STALE_MAX_SECONDS * 1_000,
    refreshWaitMs: config.REFRESH_WAIT_MS,
    refreshCooldownMs: config.REFRESH_COOLDOWN_SECONDS * 1_000,
    headersTimeoutMs: config.UPSTREAM_HEADERS_TIMEOUT_MS,
    // It is missing only where nobody can start a session.
    mcpSessionKey: config.MCP_SESSION_KEY ?? new Secret(randomBytes(32).toString('base64url')),
    mcpOrigins: new Set(config.MCP_ALLOWED_ORIGINS),
    agentIdleMs: config.AGENT_IDLE_MS,
    http2: config.UPSTREAM_HTTP2 === 'on',
  };
}

function limitsOf(config: ReturnType<typeof readProxyConfig>['config']) {
  const readsPerSecond = config.TENANT_VAULT_READS_PER_SECOND;
  return {
    tenantRate: { perSecond: config.TENANT_REQUESTS_PER_SECOND, burst: config.TENANT_BURST },
    vaultReads: { perSecond: readsPerSecond, burst: readsPerSecond * 5 },
    occupancy: {
      maxRequests: config.MAX_REQUESTS_IN_FLIGHT,
      maxPerIntegration: config.UPSTREAM_MAX_CONCURRENT_REQUESTS,
      maxStreams: config.TENANT_MAX_STREAMS,
    },
    maxKeptBytes: 64 * 1024 * 1024,
    maxLagMs: config.MAX_EVENT_LOOP_LAG_MS,
  };
}
