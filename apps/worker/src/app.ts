import { Discovery } from '@connectors/oauth';
import { Spool, startWorker, sweepQueueName, type RefreshEngine } from '@connectors/refresh';
import {
  connectRedis,
  publishEvent,
  refreshQueueName,
  RefreshQueues,
  requestQueueName,
  VaultClient,
  vaultOptions,
  warnOfRedis,
} from '@connectors/vault-core';
import { Queue } from 'bullmq';
import type { FastifyInstance } from 'fastify';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { WorkerConfig } from './config.ts';
import { buildConsole } from './console/app.ts';
import { checkHealth, collectStates } from './health.ts';
import { createMetrics } from './metrics.ts';

export interface WorkerApp {
  /** Of the console, of health and of metrics. */
  url: string;
  /** Ends when the jobs under way have ended. */
  close(): Promise<void>;
}

/**
 * Puts a worker together and starts it.
 *
 * @throws {Error} `EADDRINUSE` when the port is taken; then no job was begun
 */
export async function startApp(config: WorkerConfig, log: Logger): Promise<WorkerApp> {
  const parts = openParts(config, log);
  const { background, requests, vault, queues } = parts;
  const console = await openConsole(config, parts);
  const url = await console.listen({ host: config.HOST, port: config.CONSOLE_PORT });
  const worker = startWorker({
    ...parts,
    engine: createEngine(config, parts),
    prefix: config.REDIS_PREFIX,
    concurrency: config.REFRESH_CONCURRENCY,
    sweepIntervalMs: config.SWEEP_INTERVAL_SECONDS * 1000,
    lockMs: config.JOB_LOCK_SECONDS * 1000,
    stalledMs: config.STALLED_INTERVAL_SECONDS * 1000,
  });

  return {
    url,
    async close() {
      parts.stopping.abort();
      await Promise.all([console.close(), worker.close()]);
      await queues.close();
      background.disconnect();
      requests.disconnect();
      await vault.close();
    },
  };
}

type Parts = ReturnType<typeof openParts>;

function openParts(config: WorkerConfig, log: Logger) {
  const onRedisError = warnOfRedis(log);
  const requests = connectRedis(config.REDIS_URL, 'request', onRedisError);
  const vault = new VaultClient(vaultOptions(config));
  return {
    log,
    onRedisError,
    metrics: createMetrics(),
    vault,
    spool: new Spool(requests, config.REDIS_PREFIX, vault.spoolKeys, Date.now),
    stopping: new AbortController(),
    background: connectRedis(config.REDIS_URL, 'background', onRedisError),
    requests,
    queues: new RefreshQueues(requests, config.REDIS_PREFIX),
  };
}

function createEngine(
  config: WorkerConfig,
  { log, metrics, requests, vault, queues, spool, stopping }: Parts,
): RefreshEngine {
  const { guard, integrations } = config;
  return {
    credentials: vault.credentials,
    queues,
    integrations,
    discovery: new Discovery({ guard }),
    guard,
    spool,
    stopping: stopping.signal,
    announce: (event) => publishEvent(requests, config.REDIS_PREFIX, event).catch(() => undefined),
    onUnsaved: ({ tenantId, integration }, error) => {
      metrics.unsaved.inc({ integration });
      log.error({ tenantId, integration, err: error }, 'new tokens could not be saved yet');
    },
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

function openConsole(config: WorkerConfig, parts: Parts): Promise<FastifyInstance> {
  const { log, metrics, vault, queues, spool, background, requests, onRedisError } = parts;
  const integrations = [...config.integrations.keys()];
  const health = { vault, redis: requests, queues, spool, integrations, metrics };
  return buildConsole({
    adminToken: config.CONSOLE ? config.ADMIN_TOKEN : undefined,
    consoleUrl: config.CONSOLE_URL,
    boardWritable: config.BOARD_WRITABLE,
    openBoardQueues: () => openBoardQueues(integrations, background, config.REDIS_PREFIX, onRedisError),
    isRedisUp: () => background.status === 'ready',
    metrics: metrics.registry,
    collect: () => collectStates(health),
    health: () => checkHealth(health),
    log,
    now: Date.now,
  });
}

/** The board keeps its queues for good, so theirs is a connection that waits for Redis. */
function openBoardQueues(
  integrations: string[],
  connection: Redis,
  prefix: string,
  onRedisError: (error: Error) => void,
): Queue[] {
  const names = [...integrations.map(refreshQueueName), requestQueueName, sweepQueueName];
  return names.map((name) => new Queue(name, { connection, prefix }).on('error', onRedisError));
}
