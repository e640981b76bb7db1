import { Writable } from 'node:stream';
import { connectRedis, createLogger, EventSubscription, type ConnectorsEvent } from '@connectors/vault-core';
import { Registry } from 'prom-client';
import { expect, onTestFinished } from 'vitest';
import { eventually } from './eventually.ts';
import { createRefreshMetrics, openEngine, type RefreshSettings } from '../src/index.ts';
import { limits, type RefreshWorld } from './start-refresh.ts';

/** Workers that take jobs off the queues until the test is over, each with an engine and connections of its own. */
export async function startWorkers(world: RefreshWorld, count = 1, settings: Partial<RefreshSettings> = {}) {
  const lines: string[] = [];
  const events = await hear(world);
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
        sweepCallsPerSecond: 1_000,
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
  return { lines, events };
}

/** What is announced from now on. */
async function hear({ redisServer }: RefreshWorld): Promise<ConnectorsEvent[]> {
  const events: ConnectorsEvent[] = [];
  const redis = connectRedis(redisServer.url, 'background', () => undefined);
  const subscription = new EventSubscription(redis, 'connectors').on('event', (event) => events.push(event));
  onTestFinished(() => subscription.close());
  await eventually(() => expect(subscription.isConnected).toBe(true));
  return events;
}

export function sinkInto(lines: string[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(...chunk.toString().trim().split('\n'));
      done();
    },
  });
}
