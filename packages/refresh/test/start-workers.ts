import { Writable } from 'node:stream';
import { createLogger } from '@connectors/vault-core';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { createRefreshMetrics, openEngine, type RefreshSettings } from '../src/index.ts';
import { limits, type RefreshWorld } from './start-refresh.ts';

/** Workers that take jobs off the queues until the test is over, each with an engine and connections of its own. */
export function startWorkers(world: RefreshWorld, count = 1, settings: Partial<RefreshSettings> = {}) {
  const lines: string[] = [];
  const log = createLogger('worker', 'info', sinkInto(lines));
  const { vault, redisServer, integrations, guard } = world;
  for (let number = 0; number < count; number += 1) {
    const worker = openEngine({
      vault,
      redisUrl: redisServer.url,
      prefix: 'connectors',
      integrations,
      guard,
      settings: {
        concurrency: 10,
        sweepIntervalMs: 86_400_000,
        lockMs: 1_000,
        stalledMs: 200,
        limits,
        ...settings,
      },
      metrics: createRefreshMetrics([new Registry()]),
      log,
    });
    worker.start();
    onTestFinished(() => {
      world.provider.faults.release();
      return worker.close();
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
