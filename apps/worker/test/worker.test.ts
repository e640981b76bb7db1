import { startRedis } from '@connectors/dev-servers';
import { connectRedis, RefreshQueues } from '@connectors/vault-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { startProcess } from './start-process.ts';
import { startWorld, type World } from './start-world.ts';

// Processes take their time to start on a machine that is busy.
vi.setConfig({ testTimeout: 60_000 });

let world: World;
let tenants = 0;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world.close());

beforeEach(() => world.clear());

function newId() {
  tenants += 1;
  return { tenantId: `tenant-${tenants}`, integration: 'demo' };
}

describe('several workers', () => {
  it('share the work, and spend no refresh token twice', async () => {
    const env = { ...world.env, REFRESH_CONCURRENCY: '3' };
    const workers = await Promise.all([startProcess(env), startProcess(env), startProcess(env)]);
    const jobs = await Promise.all(
      Array.from({ length: 30 }, () => world.connect(newId(), { isScheduled: false })),
    );
    world.provider.tokenRequests.length = 0;
    // As many as they can have under way: none is done before all three take part.
    world.provider.faults.next({ kind: 'hang' }, 9);
    await Promise.all(jobs.map((job) => world.queues.schedule(job, 0, Date.now())));
    await vi.waitFor(() => expect(world.provider.tokenRequests).toHaveLength(9), 10_000);
    world.provider.faults.release();
    await Promise.all(jobs.map((job) => world.jobAs('completed', job)));

    const spent = world.provider.tokenRequests.map(({ refreshTokenFingerprint }) => refreshTokenFingerprint);
    expect(spent).toHaveLength(30);
    expect(new Set(spent).size).toBe(30);
    await Promise.all(jobs.map(world.expectLivingGrant));
    const shares = workers.map(({ lines }) => lines.filter(({ msg }) => msg === 'refresh').length);
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(3);
  });
});

describe('a worker', () => {
  it('that is started before Redis begins to work when it comes', async () => {
    const first = await startRedis();
    await first.close();
    const worker = await startProcess({ ...world.env, REDIS_URL: first.url });
    const job = await world.connect(newId(), { isScheduled: false });
    expect((await fetch(`${worker.url}/readyz`)).status).toBe(503);

    const redis = await startRedis({ port: first.port });
    onTestFinished(() => redis.close());
    await vi.waitFor(async () => expect((await world.stored(job)).metadata.refreshCount).toBe(1), 10_000);
    expect((await fetch(`${worker.url}/readyz`)).status).toBe(200);
    worker.child.kill('SIGTERM');
    expect(await worker.exited).toEqual([0, null]);
    expect(await worker.stderr).toBe('');
  });

  it('finds its work again when Redis comes back empty', async () => {
    const first = await startRedis();
    await startProcess({ ...world.env, REDIS_URL: first.url, SWEEP_INTERVAL_SECONDS: '86400' });
    await first.close();
    const job = await world.connect(newId(), { expiresIn: 3_600, isScheduled: false });
    const second = await startRedis({ port: first.port });
    onTestFinished(() => second.close());
    const redis = connectRedis(second.url, 'background', () => undefined);
    onTestFinished(() => redis.disconnect());
    const queues = new RefreshQueues(redis, 'connectors');
    await vi.waitFor(async () => expect(await (await queues.find(job))?.getState()).toBe('delayed'), 10_000);
  });
});
