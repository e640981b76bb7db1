import type { Provider } from '@connectors/oauth';
import { isNotConnectionError, Worker, type Processor, type WorkerOptions } from 'bullmq';
import type { WorkerDeps } from './worker.ts';
import { retryDelayMs } from './jobs/backoff.ts';

/** How much of a queue is done at a time, and when what failed is tried again. */
export type Pace = Pick<WorkerOptions, 'concurrency' | 'limiter' | 'settings' | 'metrics'>;

/** For how many minutes it is known how many refreshes ended in each. */
export const countedMinutes = 60;

/** Token requests of an integration in a second, over all workers, where nothing else is known of its provider. */
const defaultPerSecond = 100;

/**
 * How much is asked of one provider, so that one that is slow or strict holds up nobody else. The limit is counted in Redis;
 * without one the pause that a provider asks for would not hold either.
 */
export function bulkheadOf(
  { refreshConcurrency, refreshesPerSecond = defaultPerSecond }: Provider,
  concurrency: number,
): Pace {
  const max = Math.max(1, Math.floor(refreshesPerSecond));
  return {
    concurrency: refreshConcurrency ?? concurrency,
    limiter: { max, duration: Math.ceil((max * 1000) / refreshesPerSecond) },
    metrics: { maxDataPoints: countedMinutes },
  };
}

/** Takes jobs off one queue. */
export function openQueueWorker<T>(
  deps: WorkerDeps,
  queue: string,
  processor: Processor<T>,
  pace: Pace | undefined,
): Worker<T> {
  const options: WorkerOptions = {
    connection: deps.background,
    prefix: deps.prefix,
    concurrency: deps.concurrency,
    lockDuration: deps.lockMs,
    stalledInterval: deps.stalledMs,
    // A job whose workers die again and again is still due: what it spends is guarded by its claim in Vault.
    maxStalledCount: Number.MAX_SAFE_INTEGER,
    settings: { backoffStrategy: (failures, _type, error) => retryDelayMs(failures, error) },
    ...pace,
  };
  const worker = new Worker<T>(queue, processor, options);
  worker.on('error', (error) => {
    if (isNotConnectionError(error)) deps.log.warn({ queue, err: error }, 'queue trouble');
    else deps.onRedisError(error);
  });
  return worker;
}
