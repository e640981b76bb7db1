import { EventSubscription, publishEvent, RefreshQueues, type ConnectorsEvent } from '@connectors/vault-core';
import { Worker } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { countInRedis } from '../../../apps/proxy/src/access/count-in-redis.ts';
import { Passes } from '../../../packages/refresh/src/sweep/passes.ts';
import { startRedisAsDeployed, type DeployedRedis } from './start-redis-as-deployed.ts';

const credential = { tenantId: 'acme', integration: 'github', revision: 'first' };
const event: ConnectorsEvent = { type: 'credential-stored', ...credential };
const prefix = 'connectors';
let redis: DeployedRedis;

beforeAll(async () => {
  redis = await startRedisAsDeployed();
});
afterAll(() => redis.close());

describe('the Redis of the deployables', () => {
  it('keeps everything and evicts nothing', async () => {
    const info = await (await redis.connect('worker')).info();
    expect(info).toContain('aof_enabled:1');
    expect(info).toContain('maxmemory_policy:noeviction');
    expect(info).toContain('maxmemory_human:512.00M');
  });

  it('turns away who names no user', async () => {
    await expect(redis.connect()).rejects.toThrow('Connection is closed');
  });

  it('turns away who has a wrong password', async () => {
    await expect(redis.connect('worker', 'wrong')).rejects.toThrow('Connection is closed');
  });

  it('lets a probe ping and do nothing else', async () => {
    const probe = await redis.connect('health');
    expect(await probe.ping()).toBe('PONG');
    await expect(probe.info()).rejects.toThrow('NOPERM');
    await expect(probe.get('connectors:x')).rejects.toThrow('NOPERM');
  });
});

describe('the user of the proxy', () => {
  it('asks for refreshes, which a worker takes', async () => {
    const connection = await redis.connect('worker');
    const taken: unknown[] = [];
    const worker = new Worker('refresh-requests', async ({ data }) => void taken.push(data), {
      connection,
      prefix,
    });
    const queues = new RefreshQueues(await redis.connect('proxy'), prefix);

    await queues.request(credential);
    await vi.waitFor(() => expect(taken).toEqual([credential]));
    await worker.pause();
    await queues.request({ ...credential, revision: 'second' });
    await queues.request({ ...credential, revision: 'second' });
    await worker.resume();

    await vi.waitFor(() => expect(taken).toEqual([credential, { ...credential, revision: 'second' }]));
    await Promise.all([worker.close(), queues.close()]);
  });

  it('hears events', async () => {
    const events = new EventSubscription(await redis.connect('proxy'), prefix);
    const heard: ConnectorsEvent[] = [];
    events.on('event', (event) => heard.push(event));
    await vi.waitFor(() => expect(events.isConnected).toBe(true));
    await publishEvent(await redis.connect('worker'), prefix, event);
    await vi.waitFor(() => expect(heard).toEqual([event]));
  });

  it('counts rate limits', async () => {
    const countTogether = countInRedis(await redis.connect('proxy'), prefix);
    expect(await countTogether(new Map([['acme', 2]]))).toEqual(new Map([['acme', 2]]));
    expect(await countTogether(new Map([['acme', 0]]))).toEqual(new Map([['acme', 2]]));
  });

  it('cannot add to the queue of an integration', async () => {
    const queues = new RefreshQueues(await redis.connect('proxy'), prefix);
    await expect(queues.schedule(credential, 1, 0)).rejects.toThrow(
      expect.objectContaining({ code: 'queue_unavailable' }),
    );
  });

  const refused: [string, ...string[]][] = [
    ['hgetall', 'connectors:refresh-github:acme.first'],
    ['hget', 'connectors:refresh-github:acme.first', 'data'],
    ['eval', 'return redis.call("hget", KEYS[1], "data")', '1', 'connectors:refresh-github:acme.first'],
    ['eval', 'return redis.call("hget", "connectors:refresh-github:acme.first", "data")', '0'],
    ['publish', 'connectors:events', '{}'],
    ['subscribe', 'connectors:other'],
    ['keys', '*'],
    ['scan', '0'],
    ['flushall'],
    ['config', 'get', '*'],
    ['acl', 'list'],
    ['monitor'],
  ];
  it.each(refused.map((words) => [words.join(' '), words] as const))('is refused: %s', async (_, words) => {
    const proxy = await redis.connect('proxy');
    const [command, ...args] = words;
    await expect(proxy.call(command, ...args)).rejects.toThrow(
      /NOPERM|can't access at least one of the keys/,
    );
  });
});

describe('the user of the workers', () => {
  it('schedules a refresh and runs it', async () => {
    const queues = new RefreshQueues(await redis.connect('worker'), prefix);
    await queues.schedule(credential, 0, 0);
    const connection = await redis.connect('worker');
    const taken: unknown[] = [];
    const worker = new Worker('refresh-github', async ({ data }) => void taken.push(data), {
      connection,
      prefix,
    });
    await vi.waitFor(() => expect(taken).toEqual([credential]));
    await vi.waitFor(async () => {
      expect(await queues.queue('refresh-github').getJobCounts('completed')).toEqual({ completed: 1 });
    });
    expect(await queues.queue('refresh-github').getWorkers()).toHaveLength(1);
    await Promise.all([worker.close(), queues.close()]);
  });

  it('leads a sweep to its end, and looks through the jobs', async () => {
    const connection = await redis.connect('worker');
    const passes = new Passes(connection, prefix);
    await passes.begin('run', { id: 'pass', speed: 'full', begunAt: 0, life: 'this' });
    await passes.takeOver('next-run', 'pass');
    await passes.count('pass', { tenants: 1 });
    await passes.advance('next-run', { tenant: 'acme' });
    expect(await passes.end('next-run', 1)).toBe(true);
    expect((await passes.look()).last).toMatchObject({ id: 'pass', tally: { tenants: 1 } });
    await passes.begin('run', { id: 'another', speed: 'full', begunAt: 0, life: 'this' });
    await passes.drop('another');
    expect((await passes.look()).current).toBeUndefined();

    const queues = new RefreshQueues(connection, prefix);
    await queues.schedule({ ...credential, integration: 'slack' }, 60_000, 0);
    expect((await queues.page('slack', 'delayed', '0')).jobs).toHaveLength(1);
    await queues.close();
  });

  const refused: [string, ...string[]][] = [
    ['set', 'elsewhere', '1'],
    ['flushall'],
    ['keys', '*'],
    ['config', 'set', 'dir', '/tmp'],
    ['acl', 'setuser', 'intruder'],
    ['shutdown'],
  ];
  it.each(refused.map((words) => [words.join(' '), words] as const))('is refused: %s', async (_, words) => {
    const worker = await redis.connect('worker');
    const [command, ...args] = words;
    await expect(worker.call(command, ...args)).rejects.toThrow('NOPERM');
  });
});
