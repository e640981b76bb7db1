import type { BlockList } from 'node:net';
import type { EgressGuard } from '@connectors/egress';
import {
  CredentialCache,
  credentialKey,
  FailedAttempts,
  lineWriter,
  RateLimitError,
  Renewals,
  type EventSubscription,
  type RefreshQueues,
  type Secret,
  type VaultClient,
} from '@connectors/vault-core';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { Admissions } from './identity/admissions.ts';
import { AgentTokens } from './identity/agent-tokens.ts';
import { cutOff, cutOffExpired } from './identity/cut-off.ts';
import { LoadShedder } from './access/load-shedder.ts';
import { Occupancy, type OccupancyLimits } from './access/occupancy.ts';
import { TenantBuckets } from './access/tenant-buckets.ts';
import { TenantRates, type CountTogether } from './access/tenant-rates.ts';
import type { RateLimit } from './access/token-bucket.ts';
import { IssuerKeys } from './identity/issuer-keys.ts';
import { KnownAgents } from './identity/known-agents.ts';
import type { TokenSettings } from './identity/token-settings.ts';
import { SessionIds } from './mcp/session-ids.ts';
import { registerProtectedResource } from './mcp/protected-resource.ts';
import type { Exchange } from './exchange.ts';
import { createMetrics, type ProxyMetrics } from './metrics.ts';
import type { ProxyParts } from './pipeline.ts';
import { createProxyServer } from './routes/agent-requests.ts';
import { registerHealth } from './routes/health.ts';
import { refuseUnparsed } from './routes/unparsed.ts';
import { Dispatchers } from './upstream/dispatchers.ts';
import { KeptBodies } from './upstream/kept-bodies.ts';
import type { Upstreams } from './upstream/upstreams.ts';

/** Wrong keys that one address may present in a row, and how long it waits for one more. */
const failureLimit = { burst: 20, everyMs: 1_000 };

export interface ProxyDeps {
  vault: VaultClient;
  queues: RefreshQueues;
  events: EventSubscription;
  upstreams: Upstreams;
  /** Whose JWTs agents may present, if anybody's. */
  tokens: TokenSettings | undefined;
  /** The load balancers in front. */
  trustedProxies: BlockList | undefined;
  guard: EgressGuard;
  log: Logger;
  auditLog: Logger;
  now: () => number;
  /** What connect links begin with. */
  consoleUrl: string;
  /** How agents reach the proxy; whatever each of them calls it if left out. */
  proxyUrl: string | undefined;
  credentialCacheMs: number;
  staleMaxMs: number;
  refreshWaitMs: number;
  refreshCooldownMs: number;
  headersTimeoutMs: number;
  /** What MCP session ids are signed with: the same for all proxies. */
  mcpSessionKey: Secret;
  mcpOrigins: ReadonlySet<string>;
  /** Of each tenant; 0 a second is no limit. */
  tenantRate: RateLimit;
  countTogether: CountTogether;
  /** Of each tenant's credentials. */
  vaultReads: RateLimit;
  occupancy: OccupancyLimits;
  /** What all bodies that are kept for a replay may take of the memory together. */
  maxKeptBytes: number;
  maxLagMs: number;
  /** Tells again and again how late the event loop is. Returns what ends that. */
  sampleLag: (tell: (lagMs: number, now: number) => void) => () => void;
  /** How long an agent may take for its headers, and be silent in the middle of its body. */
  agentIdleMs: number;
  /** Whether HTTP/2 is spoken to upstreams that offer it. */
  http2: boolean;
}

/** How often open streams are looked through for those that have come to their end. */
const expiryMs = 1_000;

/** How often idle connections are ended while the proxy shuts down. */
const closeIdleMs = 100;

/** How often replicas tell each other what they let pass. */
const reportMs = 250;

/** The proxy, wired up and not yet listening. Closing it ends its connections to upstreams, and nothing that it was given. */
export function buildApp(deps: ProxyDeps): FastifyInstance {
  const parts = assemble(deps);
  const app = Fastify({
    logger: false,
    // While it shuts down it serves what still arrives on open connections.
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => refuseUnparsed(error, socket, parts),
    serverFactory: (serveOwn) => createProxyServer(serveOwn, parts),
  });
  registerHealth(app, {
    isVaultUp: () => deps.vault.healthCheck(),
    isRedisUp: () => deps.events.isConnected,
    now: deps.now,
    hasCredentials: () => parts.credentials.size > 0,
    metrics: parts.metrics.registry,
    collect: () => {
      parts.metrics.inFlight.set(parts.underWay.size);
      parts.metrics.cachedCredentials.set(parts.credentials.size);
      parts.metrics.shedShare.set(parts.shedder.share);
      parts.metrics.subscribed.set(deps.events.isConnected ? 1 : 0);
    },
  });
  registerProtectedResource(app, { proxyUrl: deps.proxyUrl, issuer: deps.tokens?.issuer });
  const stopSampling = deps.sampleLag((lagMs, now) => parts.shedder.sample(lagMs, now));
  const reporting = setInterval(() => void parts.rates?.report(), reportMs).unref();
  const expiring = setInterval(() => cutOffExpired(parts), expiryMs).unref();
  let closingIdle: NodeJS.Timeout | undefined;
  app.addHook('preClose', () => {
    stop(parts);
    // Some were told that they may stay, by an answer that had begun.
    closingIdle = setInterval(() => app.server.closeIdleConnections(), closeIdleMs).unref();
  });
  app.addHook('onClose', async () => {
    clearInterval(closingIdle);
    stopSampling();
    clearInterval(reporting);
    clearInterval(expiring);
    await parts.dispatchers.destroy();
  });
  return app;
}

function assemble(deps: ProxyDeps): ProxyParts {
  const { vault, events, log, now, staleMaxMs } = deps;
  const metrics = createMetrics();
  const parts: ProxyParts = {
    admissions: new Admissions(),
    tokens: openTokens(deps),
    failures: new FailedAttempts({ ...failureLimit, now }),
    trustedProxies: deps.trustedProxies,
    underWay: new Set(),
    isStopping: false,
    agents: new KnownAgents({ store: vault.agents, events, staleMaxMs, now }),
    ...openLimits(deps),
    ...openCredentials(deps, metrics),
    upstreams: deps.upstreams,
    keptBodies: new KeptBodies(deps.maxKeptBytes),
    dispatchers: new Dispatchers(deps.guard, { http2: deps.http2 }),
    headersTimeoutMs: deps.headersTimeoutMs,
    agentIdleMs: deps.agentIdleMs,
    consoleUrl: deps.consoleUrl,
    proxyUrl: deps.proxyUrl,
    sessionIds: new SessionIds(deps.mcpSessionKey),
    mcpOrigins: deps.mcpOrigins,
    metrics,
    log,
    writeAccess: lineWriter(log, 'request'),
    writeAudit: lineWriter(deps.auditLog, 'credential used'),
    now,
  };
  hearEvents(events, parts);
  return parts;
}

function openCredentials({ vault, queues, now, staleMaxMs, ...deps }: ProxyDeps, metrics: ProxyMetrics) {
  const vaultReads = new TenantBuckets(deps.vaultReads, now);
  const credentials = new CredentialCache({
    store: vault.credentials,
    freshMs: deps.credentialCacheMs,
    staleMaxMs,
    now,
    onRead: (seconds) => metrics.credentialReads.observe(seconds),
    admitRead: ({ tenantId }) => {
      const waitMs = vaultReads.take(tenantId);
      if (waitMs > 0) throw new RateLimitError(`Credentials of ${tenantId} are read too often`, waitMs);
    },
  });
  const renewals = new Renewals({
    credentials,
    request: (data) => queues.request(data),
    waitMs: deps.refreshWaitMs,
    cooldownMs: deps.refreshCooldownMs,
    now,
    onRequest: ({ integration }) => metrics.refreshRequests.inc({ integration }),
  });
  return { credentials, renewals };
}

function openLimits({ tenantRate: limit, countTogether, occupancy, maxLagMs, now }: ProxyDeps) {
  return {
    rates: limit.perSecond === 0 ? undefined : new TenantRates({ limit, countTogether, now }),
    occupancy: new Occupancy(occupancy),
    shedder: new LoadShedder(maxLagMs),
  };
}

function openTokens({ tokens, guard, log, now }: ProxyDeps): AgentTokens | undefined {
  if (tokens === undefined) return undefined;
  const { issuer } = tokens;
  const onFailure = (reason: string) =>
    log.warn({ issuer, reason }, 'the keys of the issuer of agent tokens could not be fetched');
  return new AgentTokens({ ...tokens, keys: new IssuerKeys({ ...tokens, guard, onFailure, now }), now });
}

function hearEvents(events: EventSubscription, parts: ProxyParts): void {
  const { agents, credentials, renewals } = parts;
  events.on('event', (event) => {
    agents.hear(event);
    // Before those who wait look again.
    credentials.hear(event);
    renewals.hear(event);
    if (event.type === 'credential-stored' || event.type === 'credential-deleted') {
      outdate(parts, credentialKey(event));
    }
    if (event.type === 'agent-changed') void cutOff(parts, event.agentId);
  });
  events.on('gap', () => {
    agents.hearGap();
    credentials.hearGap();
    for (const exchange of parts.underWay) exchange.isOutdated = true;
    void cutOff(parts);
  });
}

/** What is under way ends well, and its connections with it: an agent that is busy would keep its own for ever. */
function stop(parts: ProxyParts): void {
  parts.isStopping = true;
  for (const { upgrade, response } of parts.underWay) {
    // Nobody else would ever end a WebSocket, also one that is only about to open.
    if (upgrade !== undefined) response.destroy();
    else response.shouldKeepAlive = false;
  }
}

/** A credential was replaced or deleted: its streams end, and what has not been sent yet looks again. */
function outdate(parts: ProxyParts, key: string): void {
  const uses = ({ credentialId }: Partial<Exchange>) =>
    credentialId !== undefined && credentialKey(credentialId) === key;
  for (const exchange of parts.underWay) if (uses(exchange)) exchange.isOutdated = true;
  endStreams(parts, uses);
}

/** Ends the streams that were chosen: nothing else would, for they may be silent for ever. */
function endStreams({ underWay }: ProxyParts, isChosen: (exchange: Exchange) => boolean): void {
  for (const exchange of underWay) if (exchange.isStream && isChosen(exchange)) exchange.response.destroy();
}
