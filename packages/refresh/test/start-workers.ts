import { Writable } from 'node:stream';
import { connectRedis, createLogger } from '@connectors/vault-core';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { createRefreshMetrics, startWorker, type WorkerDeps } from '../src/index.ts';
import type { RefreshWorld } from './start-refresh.ts';

type Settings = Pick<WorkerDeps, 'concurrency' | 'sweepIntervalMs' | 'lockMs' | 'stalledMs'>;

/** Workers that take jobs off the queues until the test is over, each with an engine and connections of its own. */
export function startWorkers(world: RefreshWorld, count = 1, settings: Partial<Settings> = {}) {
  const lines: string[] = [];
  const log = createLogger('worker', 'info', sinkInto(lines));
  for (let worker = 0; worker < count; worker += 1) {
    const background = connectRedis(world.redisServer.url, 'background', () => undefined);
    const requests = connectRedis(world.redisServer.url, 'request', () => undefined);
    const stopping = new AbortController();
    const running = startWorker({
      engine: world.newEngine({ ahead: 0 }, stopping.signal),
      background,
      requests,
      prefix: 'connectors',
      log,
      onRedisError: () => undefined,
      metrics: createRefreshMetrics([new Registry()]),
      concurrency: 10,
      sweepIntervalMs: 86_400_000,
      lockMs: 1_000,
      stalledMs: 200,
      ...settings,
    });
    onTestFinished(async () => {
      world.provider.faults.release();
      stopping.abort();
      await running.close();
      background.disconnect();
      requests.disconnect();
    });
  }
  return { lines };
}

function sinkInto(lines: string[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(...chunk.toString().trim().split('\n'));
      done();
    },
  });
}
