import { refreshQueueName, type RefreshJobData } from '@connectors/vault-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { failDue, startSweeps } from './start-sweeps.ts';

const minute = 60_000;
let world: Awaited<ReturnType<typeof startSweeps>>;

beforeEach(async () => {
  world = await startSweeps();
});

function newId() {
  return { tenantId: 'acme', integration: 'demo' };
}

/** The job has been there for two minutes. */
async function age({ integration, tenantId, revision }: RefreshJobData): Promise<void> {
  const key = `connectors:${refreshQueueName(integration)}:${tenantId}.${revision}`;
  await world.redis.hset(key, { timestamp: Date.now() - 2 * minute });
}

/** A job for a state that is not stored. */
async function schedule(data: Partial<RefreshJobData> = {}, dueInMs = 60 * minute): Promise<RefreshJobData> {
  const job = { ...newId(), revision: 'gone', ...data };
  await world.queues.schedule(job, Date.now() + dueInMs, Date.now());
  await age(job);
  return job;
}

/** Sweeps twice: after a wipe nobody looks for such jobs. */
async function sweepTwice() {
  // What is due stays where it is.
  await world.queues.queue(refreshQueueName('demo')).pause();
  const worker = world.start({ intervalMs: 1 });
  await expect.poll(() => worker.completed().length, { timeout: 15_000 }).toBeGreaterThanOrEqual(2);
  await worker.stop();
  return worker;
}

const stateOf = async (job: RefreshJobData) => (await world.queues.find(job))?.getState();

describe('a pass', () => {
  it('removes the jobs of a credential that was deleted', async () => {
    const job = await world.store(newId());
    await schedule(job);
    await world.vault.deleteCredentials('acme', 'demo');
    const worker = await sweepTwice();
    expect(await stateOf(job)).toBeUndefined();
    expect(worker.completed()[1]).toMatchObject({ speed: 'trickle', removed: 1 });
  });

  it('removes the jobs of revisions that are not stored any more, whether they wait, are due or have failed', async () => {
    await world.store(newId());
    const failed = await schedule({ revision: 'failed' }, 0);
    await failDue(world, 1);
    const due = await schedule({ revision: 'due' }, 0);
    const later = await schedule({ revision: 'later' });
    expect(await Promise.all([failed, due, later].map(stateOf))).toEqual([
      'failed',
      'prioritized',
      'delayed',
    ]);
    await sweepTwice();
    expect(await Promise.all([failed, due, later].map(stateOf))).toEqual([undefined, undefined, undefined]);
  });

  it('leaves the job of the stored revision, also one that failed because the user is needed', async () => {
    const live = await world.store(newId());
    const dead = await world.store({ tenantId: 'umbrella', integration: 'demo' });
    await schedule(dead, 0);
    await failDue(world, 1);
    const { credential, version } = await world.vault.credentials.get(dead);
    const metadata = { ...credential.metadata, status: 'needs_reauth' as const };
    await world.vault.credentials.write(dead, { ...credential, metadata }, version);
    await sweepTwice();
    expect(await Promise.all([live, dead].map(stateOf))).toEqual(['delayed', 'failed']);
  });

  it('leaves a job of the last minute: what was read in Vault may be older', async () => {
    const job = { ...newId(), revision: 'gone' };
    await world.queues.schedule(job, Date.now() + 60 * minute, Date.now());
    await sweepTwice();
    expect(await stateOf(job)).toBe('delayed');
  });

  it('leaves a job whose document cannot be understood', async () => {
    const job = await schedule();
    await world.vault.credentials.write(newId(), { nothing: true } as never, 0);
    await sweepTwice();
    expect(await stateOf(job)).toBe('delayed');
  });

  it('names an integration that is not configured, and leaves its jobs', async () => {
    const live = await world.store({ tenantId: 'acme', integration: 'former' });
    const gone = await schedule({ integration: 'former' });
    const worker = await sweepTwice();
    expect(await Promise.all([live, gone].map(stateOf))).toEqual(['delayed', 'delayed']);
    expect(worker.said()).toContainEqual(
      expect.objectContaining({ integration: 'former', credentials: 1, jobs: 2 }),
    );
  });

  it('looks through any number of jobs', async () => {
    const jobs = await Promise.all(
      Array.from({ length: 400 }, (_, index) => schedule({ tenantId: `tenant-${index}` })),
    );
    const worker = await sweepTwice();
    expect(await world.queues.queue(refreshQueueName('demo')).getDelayedCount()).toBe(0);
    expect(worker.completed()[1]).toMatchObject({ removed: jobs.length, calls: jobs.length });
  });
});

describe('a worker that is asked to end while it looks through jobs', () => {
  it('leaves the rest to another, which goes on from there', async () => {
    await sweepTwice();
    const jobs = Array.from({ length: 400 }, (_, index) => schedule({ tenantId: `tenant-${index}` }));
    await Promise.all(jobs);
    const first = world.start({ intervalMs: 500, callsPerSecond: 500 });
    const removed = async () => (await world.passes.look()).current?.tally.removed;
    await expect.poll(removed).toBeGreaterThan(0);
    await first.stop();
    const already = (await removed()) ?? 0;
    const cursor = (await world.passes.look()).current?.position.cursor;
    expect(already).toBeLessThan(400);
    expect(cursor).not.toBe('0');

    const second = world.start({ intervalMs: 500 });
    await expect.poll(second.completed, { timeout: 15_000 }).not.toEqual([]);
    expect(await world.queues.queue(refreshQueueName('demo')).getDelayedCount()).toBe(0);
    // A page that was begun is looked through again.
    expect(second.completed()[0]?.calls).toBeLessThan(400 + 200);
  });
});
