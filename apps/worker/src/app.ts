import { EgressGuard } from '@connectors/egress';
import { Discovery } from '@connectors/oauth';
import type { RefreshEngine } from '@connectors/refresh';
import {
  connectRedis,
  publishEvent,
  refreshQueueName,
  RefreshQueues,
  requestQueueName,
  Secret,
  VaultClient,
  vaultOptions,
} from '@connectors/vault-core';
import { Queue } from 'bullmq';
import type { FastifyInstance } from 'fastify';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { WorkerConfig } from './config.ts';
import { buildConsole } from './console/app.ts';
import { checkHealth, collectStates } from './health.ts';
import { sweepQueueName } from './jobs/sweep-job.ts';
import { createMetrics } from './metrics.ts';
import { startWorker } from './worker.ts';

export interface WorkerApp {
  console: FastifyInstance;
  /** Ends when the jobs under way have ended. */
  close(): Promise<void>;
}

/** Puts a worker together and starts it; the console is built but does not listen yet. */
export async function startApp(config: WorkerConfig, log: Logger): Promise<WorkerApp> {
  const complain = (error: Error): void => log.warn({ error: error.name }, 'no connection to Redis');
  const background = connectRedis(config.REDIS_URL, 'background', complain);
  const requests = connectRedis(config.REDIS_URL, 'request', complain);
  const prefix = config.REDIS_PREFIX;
  const vault = new VaultClient(vaultOptions(config));
  const queues = new RefreshQueues(requests, prefix);
  const metrics = createMetrics();
  const engine: RefreshEngine = {
    ...createEngine(config, vault, queues),
    announce: (event) => publishEvent(requests, prefix, event).catch(() => undefined),
    onUnsaved: ({ tenantId, integration }, error) => {
      metrics.unsaved.inc({ integration });
      log.error({ tenantId, integration, err: error }, 'new tokens could not be saved yet');
    },
  };
  const worker = startWorker({
    engine,
    background,
    requests,
    prefix,
    log,
    metrics,
    concurrency: config.REFRESH_CONCURRENCY,
    sweepIntervalMs: config.SWEEP_INTERVAL_SECONDS * 1000,
    lockMs: config.JOB_LOCK_SECONDS * 1000,
    stalledMs: config.STALLED_INTERVAL_SECONDS * 1000,
  });

  const integrations = [...config.integrations.keys()];
  const health = { vault, redis: requests, queues, integrations, metrics };
  const console = await buildConsole({
    adminToken: config.ADMIN_TOKEN ?? new Secret(''),
    consoleUrl: config.CONSOLE_URL,
    console: config.CONSOLE,
    boardWritable: config.BOARD_WRITABLE,
    boardQueues: openBoardQueues(integrations, background, prefix),
    metrics: metrics.registry,
    collect: () => collectStates(health),
    health: () => checkHealth(health),
    now: Date.now,
  });
  return {
    console,
    async close() {
      await Promise.all([console.close(), worker.close()]);
      await queues.close();
      background.disconnect();
      requests.disconnect();
      await vault.close();
    },
  };
}

function createEngine(
  config: WorkerConfig,
  vault: VaultClient,
  queues: RefreshQueues,
): Omit<RefreshEngine, 'announce' | 'onUnsaved'> {
  const guard = new EgressGuard({ allow: config.EGRESS_ALLOW_HOSTS });
  return {
    credentials: vault.credentials,
    queues,
    integrations: config.integrations,
    discovery: new Discovery({ guard }),
    guard,
    now: Date.now,
    monotonic: () => performance.now(),
    limits: {
      attemptMs: config.REFRESH_ATTEMPT_SECONDS * 1000,
      requestMs: config.REFRESH_REQUEST_SECONDS * 1000,
      clockSkewMs: config.REFRESH_CLOCK_SKEW_SECONDS * 1000,
      cooldownMs: config.REFRESH_COOLDOWN_SECONDS * 1000,
    },
  };
}

/** The board keeps its queues for good, so theirs is a connection that waits for Redis. */
function openBoardQueues(integrations: string[], connection: Redis, prefix: string): Queue[] {
  const names = [...integrations.map(refreshQueueName), requestQueueName, sweepQueueName];
  return names.map((name) => new Queue(name, { connection, prefix }));
}
