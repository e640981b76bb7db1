import { refreshQueueName, type RefreshJob, type RefreshJobData } from '@connectors/vault-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { sweepQueueName } from '@connectors/refresh';
import { startProcess } from '../start-process.ts';
import { startInProcess, startWorld, type World } from '../start-world.ts';

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

/** How often each tenant was swept since Redis was wiped: the events that its sweep jobs left. */
async function sweeps(): Promise<Record<string, number>> {
  const entries = await world.redis.xrange(`connectors:${sweepQueueName}:events`, '-', '+');
  const counts: Record<string, number> = {};
  for (const [, fields] of entries) {
    const id = fields[fields.indexOf('jobId') + 1] ?? '';
    if (fields.includes('completed')) counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts;
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
    const { child } = await startProcess({ ...world.env, SWEEP_INTERVAL_SECONDS: '1' });
    for (let loss = 1; loss <= 2; loss += 1) {
      await world.redis.flushall();
      await expect.poll(delayed, { timeout: 4_000 }).toBe(3);
      const restored = await Promise.all(jobs.map((job) => world.jobAs('delayed', job)));
      for (const [index, job] of restored.entries())
        expect(Math.abs(dueOf(job) - dueOf(before[index] ?? job))).toBeLessThan(1_000);
    }
    expect(child.exitCode).toBeNull();
  });

  it('is shared: two workers sweep each tenant once', async () => {
    const jobs = await connect(5, false);
    const env = { SWEEP_INTERVAL_SECONDS: '86400' };
    await Promise.all([startInTest(env), startInTest(env)]);
    await expect.poll(delayed).toBe(5);
    const ofEach = async () => {
      const counts = await sweeps();
      return jobs.map(({ tenantId }) => counts[`tenant.${tenantId}`]);
    };
    await expect.poll(ofEach).toEqual([1, 1, 1, 1, 1]);
    expect(Object.keys(await sweeps()).filter((id) => id.startsWith('all.'))).toHaveLength(1);
  });

  it('is not stopped by a document that is none', async () => {
    const [broken, ...others] = await connect(3, false);
    const { tenantId = '' } = broken ?? {};
    await world.admin.credentials.write(
      { tenantId, integration: 'a-broken-one' },
      { nothing: true } as never,
      0,
    );
    const worker = await startInTest({ SWEEP_INTERVAL_SECONDS: '86400' });
    await expect.poll(delayed).toBe(others.length + 1);
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

  it('that fails for want of Vault is made up for by the next', async () => {
    await connect(2, false);
    world.vaultServer.seal();
    const worker = await startInTest({ SWEEP_INTERVAL_SECONDS: '1' });
    await expect.poll(() => worker.lines.some((line) => line.includes('job failed'))).toBe(true);
    const failed = await world.queues.queue(sweepQueueName).getFailed();
    expect(failed[0]).toMatchObject({ failedReason: 'vault_unavailable', stacktrace: [] });
    world.vaultServer.unseal();
    await expect.poll(delayed, { timeout: 4_000 }).toBe(2);
  });
});

describe('a refresh that failed for good', () => {
  it('is not revived by a sweep while the credential needs its user', async () => {
    const [job] = await connect(1, false);
    if (job === undefined) throw new Error('no job');
    await world.provider.revokeGrant((await world.admin.getCredentials(job.tenantId, 'demo')).accessToken);
    world.provider.tokenRequests.length = 0;
    await startInTest({ SWEEP_INTERVAL_SECONDS: '1' });
    await world.queues.hasten(job, Date.now());
    await world.jobAs('failed', job);
    const swept = async () => Object.keys(await sweeps()).filter((id) => id.startsWith('all.')).length;
    const already = await swept();
    await expect.poll(swept, { timeout: 5_000 }).toBeGreaterThan(already + 1);
    await world.jobAs('failed', job);
    expect(world.refreshRequests()).toHaveLength(1);
  });
});
