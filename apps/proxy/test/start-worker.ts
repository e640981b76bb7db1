import { createRefreshMetrics, openEngine } from '@connectors/refresh';
import { createLogger, type RefreshJobData } from '@connectors/vault-core';
import { Registry } from 'prom-client';
import { prefix, sink, type System } from './start-system.ts';

export type Worker = Awaited<ReturnType<typeof startWorker>>;

/** A worker for the credentials of a system, on the system's clock. */
export async function startWorker(system: System, { cooldownMs = 60_000 } = {}) {
  const lines: string[] = [];
  const worker = openEngine({
    vault: system.admin,
    redisUrl: system.redis.url,
    prefix,
    integrations: system.integrations,
    guard: system.guard,
    settings: {
      concurrency: 10,
      sweepIntervalMs: 86_400_000,
      sweepCallsPerSecond: 1_000,
      lockMs: 30_000,
      stalledMs: 30_000,
      limits: { attemptMs: 30_000, requestMs: 15_000, clockSkewMs: 5_000, cooldownMs },
    },
    metrics: createRefreshMetrics([new Registry()]),
    log: createLogger('worker', 'info', sink(lines)),
  });
  worker.engine.now = system.clock.now;
  worker.start();
  return {
    engine: worker.engine,
    /** The requests of the proxy that have been served, and how. */
    requests: () =>
      lines
        .map((line) => JSON.parse(line) as RefreshJobData & { msg: string; outcome: string })
        .filter(({ msg }) => msg === 'refresh requested'),
    close: () => worker.close(),
  };
}
