import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedis } from '@connectors/dev-servers';
import { tenantQueueName } from '@connectors/refresh';
import {
  connectRedis,
  refreshQueueName,
  RefreshQueues,
  type RefreshJob,
  type RefreshJobData,
} from '@connectors/vault-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { startProcess } from './start-process.ts';
import { startInProcess, startWorld, type World } from './start-world.ts';

// Processes take their time to start on a machine that is busy.
vi.setConfig({ testTimeout: 60_000 });

let world: World;
let tenants = 0;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world.close());

beforeEach(() => world.clear());

/** Tenants that have connected, and whose tokens are good for an hour. */
function connect(count: number, isScheduled = true): Promise<RefreshJobData[]> {
  const newTenants = Array.from({ length: count }, () => `tenant-${(tenants += 1)}`);
  return Promise.all(
    newTenants.map((tenantId) =>
      world.connect({ tenantId, integration: 'demo' }, { expiresIn: 3_600, isScheduled }),
    ),
  );
}

async function startInTest(env: Record<string, string>) {
  const worker = await startInProcess({ ...world.env, ...env });
  onTestFinished(() => worker.close());
  return worker;
}

function dueOf({ timestamp, delay }: RefreshJob): number {
  return timestamp + delay;
}

function delayed() {
  return world.queues.queue(refreshQueueName('demo')).getDelayedCount();
}

/** The id of the last pass that was completed. */
function epoch() {
  return world.redis.hget('connectors:epoch', 'id');
}

/** How often each tenant was swept since Redis was wiped: the events that its sweep jobs left. */
async function sweeps(): Promise<Record<string, number>> {
  const entries = await world.redis.xrange(`connectors:${tenantQueueName}:events`, '-', '+');
  const counts: Record<string, number> = {};
  for (const [, fields] of entries) {
    const id = fields[fields.indexOf('jobId') + 1] ?? '';
    if (fields.includes('completed')) counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts;
}

async function sweepsOf(jobs: RefreshJobData[]): Promise<number[]> {
  const counts = await sweeps();
  return jobs.map(({ tenantId }) => counts[`tenant.${tenantId}`] ?? 0);
}

describe('a sweep', () => {
  it('happens when a worker starts', async () => {
    await connect(3, false);
    await startInTest({ SWEEP_INTERVAL_SECONDS: '86400' });
    await expect.poll(delayed).toBe(3);
  });

  it('puts every job back when it is due, after Redis was wiped, and wiped again', async () => {
    const jobs = await connect(3);
    const before = await Promise.all(jobs.map((job) => world.jobAs('delayed', job)));
    const { child } = await startProcess({ ...world.env, SWEEP_INTERVAL_SECONDS: '86400' });
    for (let loss = 1; loss <= 2; loss += 1) {
      await world.redis.flushall();
      // A wipe closes no connection, and the interval is long.
      await expect.poll(delayed, { timeout: 15_000 }).toBe(3);
      const restored = await Promise.all(jobs.map((job) => world.jobAs('delayed', job)));
      for (const [index, job] of restored.entries())
        expect(Math.abs(dueOf(job) - dueOf(before[index] ?? job))).toBeLessThan(1_000);
    }
    expect(child.exitCode).toBeNull();
  });

  it('happens at once when Redis was started again: it may have come back with less than it had', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'redis-'));
    onTestFinished(() => rm(dataDir, { recursive: true }));
    const first = await startRedis({ dataDir });
    onTestFinished(() => first.close());
    const redis = connectRedis(first.url, 'background', () => undefined);
    onTestFinished(() => redis.disconnect());
    await startProcess({ ...world.env, REDIS_URL: first.url, SWEEP_INTERVAL_SECONDS: '86400' });
    await expect.poll(() => redis.exists('connectors:epoch'), { timeout: 10_000 }).toBe(1);

    const [job] = await connect(1, false);
    if (job === undefined) throw new Error('no job');
    await first.close();
    const second = await startRedis({ dataDir, port: first.port });
    onTestFinished(() => second.close());
    expect(await redis.exists('connectors:epoch')).toBe(1);
    const queues = new RefreshQueues(redis, 'connectors');
    const state = async () => (await queues.find(job))?.getState();
    await expect.poll(state, { timeout: 15_000 }).toBe('delayed');
  });

  it('is shared: two workers sweep each tenant once', async () => {
    const jobs = await connect(5, false);
    const env = { SWEEP_INTERVAL_SECONDS: '86400' };
    await Promise.all([startInTest(env), startInTest(env)]);
    await expect.poll(delayed).toBe(5);
    await expect.poll(epoch).not.toBeNull();
    expect(await sweepsOf(jobs)).toEqual([1, 1, 1, 1, 1]);
  });

  it('whose leader is killed is led to its end by another worker, from where it was', async () => {
    const early = await startInTest({ SWEEP_INTERVAL_SECONDS: '86400' });
    await expect.poll(epoch).not.toBeNull();
    await early.close();
    const jobs = await connect(40, false);
    const env = { ...world.env, SWEEP_INTERVAL_SECONDS: '1', SWEEP_CALLS_PER_SECOND: '20' };
    const leader = await startProcess(env);
    await vi.waitFor(async () => expect((await sweepsOf(jobs)).filter(Boolean).length).toBeGreaterThan(5), {
      timeout: 20_000,
    });
    leader.child.kill('SIGKILL');
    await leader.exited;
    const pass = await world.redis.hget('connectors:pass', 'id');
    expect((await sweepsOf(jobs)).filter(Boolean).length).toBeLessThan(30);

    await startProcess(env);
    await expect.poll(epoch, { timeout: 30_000 }).toBe(pass);
    expect(await delayed()).toBe(40);
    const counts = await sweepsOf(jobs);
    expect(Math.min(...counts)).toBe(1);
    // Only what was under way when it was killed may have been swept twice.
    expect(counts.filter((count) => count > 1).length).toBeLessThanOrEqual(5);
  });

  it('names a document that is none', async () => {
    const [broken] = await connect(1, false);
    const { tenantId = '' } = broken ?? {};
    await world.admin.credentials.write(
      { tenantId, integration: 'a-broken-one' },
      { nothing: true } as never,
      0,
    );
    const worker = await startInTest({ SWEEP_INTERVAL_SECONDS: '86400' });
    await expect.poll(delayed).toBe(1);
    await expect.poll(() => worker.lines.join('\n')).toContain('a-broken-one');
  });

  it('is not stopped by what others keep under the same mount', async () => {
    await connect(2, false);
    const put = (path: string) =>
      fetch(`${world.vaultServer.url}/v1/secret/data/${path}`, {
        method: 'POST',
        headers: { 'x-vault-token': world.vaultServer.rootToken },
        body: JSON.stringify({ data: { a: 'b' } }),
      });
    expect((await put('somebody:elses')).ok).toBe(true);
    expect((await put('some:body/elses')).ok).toBe(true);
    await startInTest({ SWEEP_INTERVAL_SECONDS: '86400' });
    await expect.poll(delayed).toBe(2);
  });

  it('that fails for want of Vault is made up for', async () => {
    await connect(2, false);
    world.vaultServer.seal();
    const worker = await startInTest({ SWEEP_INTERVAL_SECONDS: '86400' });
    await expect.poll(() => worker.lines.some((line) => line.includes('job failed'))).toBe(true);
    world.vaultServer.unseal();
    await expect.poll(delayed, { timeout: 15_000 }).toBe(2);
  });
});

describe('a refresh that failed for good', () => {
  it('is not revived by a sweep while the credential needs its user', async () => {
    const [job] = await connect(1, false);
    if (job === undefined) throw new Error('no job');
    await world.provider.revokeGrant((await world.admin.getCredentials(job.tenantId, 'demo')).accessToken);
    world.provider.tokenRequests.length = 0;
    await startInTest({ SWEEP_INTERVAL_SECONDS: '1', SWEEP_CALLS_PER_SECOND: '1000' });
    await world.queues.hasten(job, Date.now());
    await world.jobAs('failed', job);
    const swept = async () => (await sweepsOf([job]))[0] ?? 0;
    const already = await swept();
    await expect.poll(swept, { timeout: 40_000 }).toBeGreaterThan(already + 1);
    await world.jobAs('failed', job);
    expect(world.refreshRequests()).toHaveLength(1);
  });
});
