import { startRedis, type RunningRedis } from '@connectors/dev-servers';
import { connectRedis } from '@connectors/vault-core';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Passes } from '../../src/sweep/passes.ts';

let server: RunningRedis;
let redis: Redis;
let passes: Passes;

beforeAll(async () => {
  server = await startRedis();
  redis = connectRedis(server.url, 'background', () => undefined);
  passes = new Passes(redis, 'connectors');
});

afterAll(async () => {
  redis.disconnect();
  await server.close();
});

beforeEach(() => redis.flushall());

function begin(run: string, id: string) {
  return passes.begin(run, { id, speed: 'trickle', begunAt: 1_000, life: 'first' });
}

const keys = () => redis.keys('*');

describe('the record of a pass', () => {
  it('tells any worker how far it has come and what was found', async () => {
    await begin('run-1', 'pass-1');
    await passes.advance('run-1', { tenant: 'm' });
    await passes.count('pass-1', { tenants: 2, credentials: 3, calls: 5 }, ['slack']);
    await passes.count('pass-1', { tenants: 1, failed: 1, calls: 1 }, ['slack']);
    expect((await passes.look()).current).toMatchObject({
      id: 'pass-1',
      speed: 'trickle',
      position: { tenant: 'm', jobs: '', cursor: '0' },
      tally: { tenants: 3, credentials: 3, failed: 1, calls: 6, restored: 0 },
      unconfigured: { slack: 2 },
    });
  });

  it('is left to the run that took over last: one that was stopped for a while cannot go on', async () => {
    await begin('run-1', 'pass-1');
    await passes.takeOver('run-2', 'pass-1');
    expect(await passes.advance('run-1', { tenant: 'z' })).toBeUndefined();
    expect(await passes.end('run-1', 2_000)).toBe(false);
    expect(await passes.advance('run-2')).toMatchObject({ position: { tenant: '' } });
  });

  it('becomes the epoch when the pass ends', async () => {
    await begin('run-1', 'pass-1');
    expect(await passes.end('run-1', 2_000)).toBe(true);
    expect(await passes.look()).toMatchObject({
      last: { id: 'pass-1', begunAt: 1_000, endedAt: 2_000 },
      current: undefined,
    });
  });

  it('is gone for good when Redis is wiped: nobody who was at it leaves a trace, let alone an epoch', async () => {
    await begin('run-1', 'pass-1');
    await redis.flushall();
    expect(await passes.advance('run-1', { tenant: 'z' })).toBeUndefined();
    expect(await passes.takeOver('run-2', 'pass-1')).toBeUndefined();
    expect(await passes.end('run-1', 2_000)).toBe(false);
    await passes.count('pass-1', { tenants: 1 });
    await passes.drop('pass-1');
    expect(await keys()).toEqual([]);
  });

  it('is safe from those of the pass before, also when a new one has begun', async () => {
    await begin('run-1', 'pass-1');
    await redis.flushall();
    await begin('run-2', 'pass-2');
    expect(await passes.advance('run-1', { tenant: 'z' })).toBeUndefined();
    expect(await passes.end('run-1', 2_000)).toBe(false);
    await passes.count('pass-1', { tenants: 1 });
    await passes.drop('pass-1');
    expect((await passes.look()).current).toMatchObject({ id: 'pass-2', tally: { tenants: 0 } });
  });

  it('that cannot be understood is none', async () => {
    await redis.hset('connectors:epoch', { sweptAt: 'yesterday' });
    expect((await passes.look()).last).toBeUndefined();
  });
});

describe('the life of Redis', () => {
  it('is another one after a restart', async () => {
    const { life } = await passes.look();
    expect(life).toMatch(/^\w{40}$/);
    expect((await passes.look()).life).toBe(life);
    const other = await startRedis();
    const connection = connectRedis(other.url, 'background', () => undefined);
    expect((await new Passes(connection, 'connectors').look()).life).not.toBe(life);
    connection.disconnect();
    await other.close();
  });
});
