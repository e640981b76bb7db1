import type { EgressGuard } from '@connectors/egress';
import { Discovery, type Integration } from '@connectors/oauth';
import {
  connectRedis,
  publishEvent,
  RefreshQueues,
  warnOfRedis,
  type VaultClient,
} from '@connectors/vault-core';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { RefreshEngine } from './engine.ts';
import type { RefreshMetrics } from './metrics.ts';
import type { RefreshSettings } from './settings.ts';
import { Spool } from './spool.ts';
import { startWorker, type RunningWorker } from './worker.ts';

export interface EngineOptions {
  /** Stays open when the engine is closed. */
  vault: VaultClient;
  redisUrl: string;
  /** What the names of all keys and channels in Redis begin with. */
  prefix: string;
  integrations: ReadonlyMap<string, Integration>;
  guard: EgressGuard;
  settings: RefreshSettings;
  metrics: RefreshMetrics;
  log: Logger;
}

export interface OpenEngine {
  engine: RefreshEngine;
  /** A connection that fails at once without Redis. */
  requests: Redis;
  /** A connection that waits for Redis. */
  background: Redis;
  /** Told of every error of a connection to Redis. */
  onRedisError: (error: Error) => void;
  /** Begins to take jobs. */
  start(): void;
  /** Ends when the jobs under way have ended and, if Vault cannot take new tokens, they lie in the spool. */
  close(): Promise<void>;
}

/** Puts together what refreshes credentials, for a process of its own or inside another. No job is begun yet. */
export function openEngine(options: EngineOptions): OpenEngine {
  const { prefix, settings, metrics, log } = options;
  const onRedisError = warnOfRedis(log);
  const requests = connectRedis(options.redisUrl, 'request', onRedisError);
  const background = connectRedis(options.redisUrl, 'background', onRedisError);
  const stopping = new AbortController();
  const engine = assemble(options, requests, stopping.signal);
  let worker: RunningWorker | undefined;
  return {
    engine,
    requests,
    background,
    onRedisError,
    start() {
      worker = startWorker({ ...settings, engine, background, requests, prefix, log, onRedisError, metrics });
    },
    async close() {
      stopping.abort();
      await worker?.close();
      await engine.queues.close();
      background.disconnect();
      requests.disconnect();
    },
  };
}

function assemble(options: EngineOptions, requests: Redis, stopping: AbortSignal): RefreshEngine {
  const { vault, prefix, integrations, guard, settings, metrics, log } = options;
  return {
    credentials: vault.credentials,
    queues: new RefreshQueues(requests, prefix),
    integrations,
    discovery: new Discovery({ guard }),
    guard,
    spool: new Spool(requests, prefix, vault.spoolKeys, Date.now),
    stopping,
    announce: (event) => publishEvent(requests, prefix, event).catch(() => undefined),
    onUnsaved: ({ tenantId, integration }, error) => {
      metrics.unsaved.inc({ integration });
      log.error({ tenantId, integration, err: error }, 'new tokens could not be saved yet');
    },
    onUnrevoked: ({ tenantId, integration }, reason) =>
      log.warn({ tenantId, integration, reason }, 'tokens could not be ended at the provider'),
    now: Date.now,
    monotonic: () => performance.now(),
    limits: settings.limits,
  };
}
