import { endRedis, refreshQueueName, requestQueueName, type RefreshJobData } from '@connectors/vault-core';
import type { Processor, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { RefreshEngine } from './engine.ts';
import { codingFailures } from './jobs/job-failure.ts';
import { runRefreshJob } from './jobs/refresh-job.ts';
import { runRequestJob } from './jobs/request-job.ts';
import type { RefreshMetrics } from './metrics.ts';
import { bulkheadOf, openQueueWorker, type Pace } from './queue-worker.ts';
import type { RefreshSettings } from './settings.ts';
import type { StateIndex } from './state-index.ts';
import { keepSweeping } from './sweep/keep-sweeping.ts';
import { Passes } from './sweep/passes.ts';
import type { SweepDeps } from './sweep/pass-run.ts';
import { passQueueName, runPass } from './sweep/run-pass.ts';
import { runTenantJob, tenantQueueName, type TenantJobData } from './sweep/tenants.ts';
import type { DeliveryDeps } from './webhooks/deliver.ts';
import { webhookQueueName, type WebhookJobData } from './webhooks/queue.ts';
import { deliveryRetryMs } from './webhooks/retry-schedule.ts';
import { runWebhookJob } from './webhooks/webhook-job.ts';

export interface WorkerDeps extends Omit<RefreshSettings, 'limits'> {
  engine: RefreshEngine;
  /** A connection that waits for Redis; every BullMQ worker makes itself another for blocking. */
  background: Redis;
  /** A connection that fails at once without Redis. */
  requests: Redis;
  prefix: string;
  states: StateIndex;
  log: Logger;
  /** Told of every error of a connection to Redis. */
  onRedisError: (error: Error) => void;
  metrics: RefreshMetrics;
  webhooks: DeliveryDeps;
}

export interface RunningWorker {
  /** Ends when the jobs under way have ended, and ends `background` with them. */
  close(): Promise<void>;
}

/**
 * Takes jobs off four kinds of queue: refreshes (one queue per integration), requests to refresh now, sweeps, and webhooks.
 * Any number of these may run side by side.
 */
export function startWorker(deps: WorkerDeps): RunningWorker {
  const sweeping = { ...deps, passes: new Passes(deps.requests, deps.prefix) };
  const underWay = new Set<Promise<unknown>>();
  const workers = openWorkers(sweeping, underWay);
  const sweeps = keepSweeping(sweeping);

  return {
    async close() {
      sweeps.stop();
      const isCut = deps.background.status !== 'ready';
      const lost = new Promise((resolve) => deps.background.once('close', resolve));
      const closing = Promise.all(workers.map((worker) => worker.close(isCut)));
      // Without Redis a worker cannot write down how its jobs ended, and would wait for it: what counts is in Vault.
      await Promise.race([closing, isCut ? undefined : lost]);
      endRedis(deps.background);
      await Promise.allSettled(underWay);
    },
  };
}

/** Deliveries do little but wait for others. */
const webhookPace: Pace = {
  concurrency: 50,
  settings: { backoffStrategy: (failures, _type, error) => deliveryRetryMs(failures, error) },
};

function openWorkers(deps: WorkerDeps & SweepDeps, underWay: Set<Promise<unknown>>): Worker[] {
  const { engine, log, metrics } = deps;
  const open = <T extends object>(queue: string, process: Processor<T>, pace?: Pace) => {
    const tracked: Processor<T> = (job, token) => {
      const running = process(job, token);
      underWay.add(running);
      return running.finally(() => underWay.delete(running));
    };
    return openQueueWorker<T>(deps, queue, tracked, pace) as Worker;
  };
  const openCoded = <T extends object>(queue: string, process: Processor<T>, pace?: Pace) =>
    open<T>(queue, codingFailures(log, queue, process), pace);

  return [
    ...[...engine.integrations.values()].map(({ id, provider }) =>
      open<RefreshJobData>(
        refreshQueueName(id),
        (job, token) => runRefreshJob({ engine, log, metrics }, job, token ?? ''),
        bulkheadOf(provider, deps.concurrency),
      ),
    ),
    openCoded<RefreshJobData>(requestQueueName, (job) => runRequestJob({ engine, log, metrics }, job)),
    openCoded(passQueueName, () => runPass(deps), { concurrency: 1 }),
    openCoded<TenantJobData>(tenantQueueName, (job) => runTenantJob(deps, job)),
    open<WebhookJobData>(
      webhookQueueName,
      (job, token) => runWebhookJob(deps.webhooks, job, token ?? ''),
      webhookPace,
    ),
  ];
}
