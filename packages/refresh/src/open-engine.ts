import type { EgressGuard } from '@connectors/egress';
import { Discovery, type Integration } from '@connectors/oauth';
import {
  connectRedis,
  EventSubscription,
  publishEvent,
  RefreshQueues,
  warnOfRedis,
  type VaultClient,
} from '@connectors/vault-core';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { RefreshEngine } from './engine.ts';
import { EventHistory } from './history.ts';
import type { RefreshMetrics } from './metrics.ts';
import type { RefreshSettings } from './settings.ts';
import { Spool } from './spool.ts';
import { StateIndex } from './state-index.ts';
import { openWebhooks, type OpenWebhooks } from './webhooks/open-webhooks.ts';
import type { WebhookQueue } from './webhooks/queue.ts';
import { startWorker, type RunningWorker } from './worker.ts';

export interface EngineOptions {
  /** Stays open when the engine is closed. */
  vault: VaultClient;
  redisUrl: string;
  /** What the names of all keys and channels in Redis begin with. */
  prefix: string;
  integrations: ReadonlyMap<string, Integration>;
  guard: EgressGuard;
  /** What links for users begin with; absent: webhooks have none. */
  consoleUrl?: string;
  settings: RefreshSettings;
  metrics: RefreshMetrics;
  log: Logger;
}

export interface OpenEngine {
  engine: RefreshEngine;
  webhooks: WebhookQueue;
  /** Events as they are announced, by whichever process. */
  events: EventSubscription;
  history: EventHistory;
  states: StateIndex;
  /** A connection that fails at once without Redis. */
  requests: Redis;
  /** A connection that waits for Redis. */
  background: Redis;
  /** Told of every error of a connection to Redis. */
  onRedisError: (error: Error) => void;
  /** Begins to take jobs, unless it has begun. */
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
  const queues = new RefreshQueues(requests, prefix);
  const events = new EventSubscription(connectRedis(options.redisUrl, 'background', onRedisError), prefix);
  // Every worker has those that follow it: each open page of the console listens.
  events.setMaxListeners(0);
  const history = new EventHistory(requests, prefix, events);
  const states = new StateIndex(requests, prefix, Date.now);
  const webhooks = openWebhooks(options, { queues, requests, events });
  const stopping = new AbortController();
  const engine = assemble(options, { queues, requests, history, states, webhooks }, stopping.signal);
  let worker: RunningWorker | undefined;
  return {
    engine,
    webhooks: webhooks.deliveries.queue,
    events,
    history,
    states,
    requests,
    background,
    onRedisError,
    start() {
      const connections = { background, requests, prefix, onRedisError };
      const parts = { engine, states, log, metrics, webhooks: webhooks.deliveries };
      worker ??= startWorker({ ...settings, ...connections, ...parts });
    },
    async close() {
      stopping.abort();
      await worker?.close();
      events.close();
      await queues.close();
      background.disconnect();
      requests.disconnect();
    },
  };
}

interface Parts {
  queues: RefreshQueues;
  requests: Redis;
  history: EventHistory;
  states: StateIndex;
  webhooks: OpenWebhooks;
}

function assemble(
  options: EngineOptions,
  { queues, requests, history, states, webhooks }: Parts,
  stopping: AbortSignal,
): RefreshEngine {
  const { vault, prefix, integrations, guard, settings, metrics, log } = options;
  return {
    credentials: vault.credentials,
    queues,
    integrations,
    discovery: new Discovery({ guard }),
    guard,
    spool: new Spool(requests, prefix, vault.spoolKeys, Date.now),
    stopping,
    async announce(event) {
      // In this order: who hears of an event looks for it in the history.
      const noted = history.add(event).catch(() => undefined);
      const published = publishEvent(requests, prefix, event).catch(() => undefined);
      const filed = states.note(event).catch(() => undefined);
      await Promise.all([noted, published, filed, webhooks.announcer.announce(event)]);
    },
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
