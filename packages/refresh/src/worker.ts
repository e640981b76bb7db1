import { refreshQueueName, requestQueueName, type RefreshJobData } from '@connectors/vault-core';
import { isNotConnectionError, Worker, type Processor, type WorkerOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { RefreshEngine } from './engine.ts';
import { retryDelayMs } from './jobs/backoff.ts';
import { codingFailures } from './jobs/job-failure.ts';
import { runRefreshJob } from './jobs/refresh-job.ts';
import { runRequestJob } from './jobs/request-job.ts';
import { requestSweep, runSweepJob, sweepQueueName, type SweepJobData } from './jobs/sweep-job.ts';
import type { RefreshMetrics } from './metrics.ts';
import type { RefreshSettings } from './settings.ts';

export interface WorkerDeps extends Omit<RefreshSettings, 'limits'> {
  engine: RefreshEngine;
  /** A connection that waits for Redis; every BullMQ worker makes itself another for blocking. */
  background: Redis;
  /** A connection that fails at once without Redis. */
  requests: Redis;
  prefix: string;
  log: Logger;
  /** Told of every error of a connection to Redis. */
  onRedisError: (error: Error) => void;
  metrics: RefreshMetrics;
}

export interface RunningWorker {
  /** Ends when the jobs under way have ended. */
  close(): Promise<void>;
}

/**
 * Takes jobs off three kinds of queue: refreshes (one queue per integration), requests to refresh now, and sweeps. Any
 * number of these may run side by side.
 */
export function startWorker(deps: WorkerDeps): RunningWorker {
  const { engine, log, metrics } = deps;
  const underWay = new Set<Promise<unknown>>();
  const open = <T>(queue: string, process: Processor<T>): Worker<T> =>
    openWorker<T>(deps, queue, (job, token) => {
      const running = process(job, token);
      underWay.add(running);
      return running.finally(() => underWay.delete(running));
    });
  const workers = [
    ...[...engine.integrations.keys()].map((integration) =>
      open<RefreshJobData>(refreshQueueName(integration), (job, token) =>
        runRefreshJob({ engine, log, metrics }, job, token ?? ''),
      ),
    ),
    open<RefreshJobData>(
      requestQueueName,
      codingFailures(log, requestQueueName, (job) => runRequestJob({ engine, log, metrics }, job)),
    ),
    open<SweepJobData>(
      sweepQueueName,
      codingFailures(log, sweepQueueName, (job) => runSweepJob({ engine, log, metrics }, job)),
    ),
  ];

  const sweep = (): void => {
    requestSweep(engine.queues, engine.now(), deps.sweepIntervalMs).catch(deps.onRedisError);
  };
  const timer = setInterval(sweep, deps.sweepIntervalMs);
  // Redis may come back empty.
  deps.requests.on('ready', sweep);
  if (deps.requests.status === 'ready') sweep();

  return {
    async close() {
      clearInterval(timer);
      deps.requests.off('ready', sweep);
      // Without Redis a worker cannot write down how its jobs ended, and would wait for it: what counts is in Vault.
      const isCut = deps.background.status !== 'ready';
      if (isCut) await Promise.allSettled(underWay);
      await Promise.all(workers.map((worker) => worker.close(isCut)));
    },
  };
}

function openWorker<T>(deps: WorkerDeps, queue: string, processor: Processor<T>): Worker<T> {
  const options: WorkerOptions = {
    connection: deps.background,
    prefix: deps.prefix,
    concurrency: deps.concurrency,
    lockDuration: deps.lockMs,
    stalledInterval: deps.stalledMs,
    // A job whose workers die again and again is still due: what it spends is guarded by its claim in Vault.
    maxStalledCount: Number.MAX_SAFE_INTEGER,
    settings: { backoffStrategy: (failures, _type, error) => retryDelayMs(failures, error) },
  };
  const worker = new Worker<T>(queue, processor, options);
  worker.on('error', (error) => {
    if (isNotConnectionError(error)) deps.log.warn({ queue, err: error }, 'queue trouble');
    else deps.onRedisError(error);
  });
  return worker;
}
