import { startRedis } from '@connectors/dev-servers';
import { UnrecoverableError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectRedis, refreshQueueName, RefreshQueues, requestQueueName } from '../src/index.ts';

const job = { tenantId: 'tenant-123', integration: 'github', revision: 'rev1' };
const now = Date.parse('2025-11-08T12:00:00Z');

let server: Awaited<ReturnType<typeof startRedis>>;
let redis: Redis;
let queues: RefreshQueues;

beforeAll(async () => {
  server = await startRedis();
  redis = connectRedis(server.url, 'background', () => undefined);
});

afterAll(async () => {
  redis.disconnect();
  await server.close();
});

beforeEach(async () => {
  await redis.flushall();
  queues = new RefreshQueues(redis, 'connectors');
});

function counts() {
  return queues
    .queue(refreshQueueName('github'))
    .getJobCounts('delayed', 'prioritized', 'waiting', 'failed', 'completed');
}

/** A worker takes the job, and its credential is beyond help. */
async function failJob(): Promise<void> {
  await runJob(() => Promise.reject(new UnrecoverableError('invalid_grant')));
  expect(await counts()).toMatchObject({ failed: 1 });
}

/** A worker takes the job, and finds nothing to do. */
function completeJob(): Promise<void> {
  return runJob(() => Promise.resolve());
}

async function runJob(process: () => Promise<void>): Promise<void> {
  await queues.schedule(job, now, now);
  const worker = new Worker(refreshQueueName('github'), process, { connection: redis, prefix: 'connectors' });
  await expect.poll(async () => (await queues.find(job))?.finishedOn).toBeDefined();
  await worker.close();
}

describe('scheduling a refresh', () => {
  it('delays the job until it is due', async () => {
    await queues.schedule(job, now + 55 * 60_000, now);
    expect((await queues.find(job))?.delay).toBe(55 * 60_000);
  });

  it('starts at once what is overdue', async () => {
    await queues.schedule(job, now - 1, now);
    expect(await counts()).toMatchObject({ delayed: 0, prioritized: 1 });
  });

  it('twice for one state of a credential makes one job', async () => {
    await queues.schedule(job, now + 1_000, now);
    await queues.schedule(job, now + 9_000, now);
    expect(await counts()).toMatchObject({ delayed: 1 });
  });

  it('uses one queue per integration, so that a slow provider delays nobody else', async () => {
    await queues.schedule(job, now + 1_000, now);
    await queues.schedule({ ...job, integration: 'slack' }, now + 1_000, now);
    expect(await counts()).toMatchObject({ delayed: 1 });
  });

  it('writes ids and the revision into the job, nothing else', async () => {
    await queues.schedule(job, now + 1_000, now);
    expect((await queues.find(job))?.data).toEqual(job);
  });
});

describe('hastening a refresh', () => {
  it('brings a scheduled job to the front', async () => {
    await queues.schedule(job, now + 3600_000, now);
    await queues.hasten(job, Date.now());
    expect(await counts()).toMatchObject({ delayed: 0, prioritized: 1 });
    expect((await queues.find(job))?.priority).toBe(1);
  });

  it('adds the job that Redis has lost', async () => {
    await queues.hasten(job, Date.now());
    expect(await counts()).toMatchObject({ prioritized: 1 });
  });

  it('does nothing to a job that is on its way', async () => {
    await queues.hasten(job, Date.now());
    await queues.hasten(job, Date.now());
    expect(await counts()).toMatchObject({ prioritized: 1 });
  });
});

describe('restoring the schedule', () => {
  it('adds the job that Redis has lost', async () => {
    expect(await queues.restore(job, now + 1_000, now)).toBe('restored');
    expect(await counts()).toMatchObject({ delayed: 1 });
  });

  it('leaves a job that is there as it is', async () => {
    await queues.schedule(job, now + 9_000, now);
    expect(await queues.restore(job, now + 1_000, now)).toBe('present');
    expect((await queues.find(job))?.delay).toBe(9_000);
  });

  it.each([
    ['had failed for good', failJob],
    ['was completed', completeJob],
  ])('says of a job that %s that it is over, and begins it anew when told to', async (_how, finish) => {
    await finish();
    expect(await queues.restore(job, now + 1_000, now)).toBe('over');
    expect(await counts()).toMatchObject({ delayed: 0 });
    await queues.revive(job, now + 1_000, now);
    expect(await counts()).toMatchObject({ failed: 0, completed: 0, delayed: 1 });
  });
});

describe('a job that had failed for good', () => {
  it('is brought to the front by hastening', async () => {
    await failJob();
    await queues.hasten(job, Date.now());
    expect(await counts()).toMatchObject({ failed: 0 });
    expect(await (await queues.find(job))?.isFailed()).toBe(false);
  });

  it('leaves no stack in Redis', async () => {
    await failJob();
    const raw = JSON.stringify(await redis.hgetall(`connectors:refresh-github:tenant-123.rev1`));
    expect(raw).toContain('invalid_grant');
    expect(raw).not.toContain('refresh-queue.test');
  });
});

describe('a request to refresh now', () => {
  it('is one for one state of a credential, however many ask', async () => {
    await Promise.all(Array.from({ length: 20 }, () => queues.request(job)));
    expect(await queues.queue(requestQueueName).getJobCounts('waiting')).toEqual({ waiting: 1 });
  });
});

describe('removing a job', () => {
  it('takes away one that nobody is at', async () => {
    await queues.schedule(job, now + 1_000, now);
    expect(await queues.remove(job)).toBe(true);
    expect(await queues.find(job)).toBeUndefined();
  });

  it('leaves one that a worker is at', async () => {
    const removed: boolean[] = [];
    await runJob(async () => {
      removed.push(await queues.remove(job));
    });
    expect(removed).toEqual([false]);
    expect(await queues.find(job)).toBeDefined();
  });
});

describe('a page of jobs', () => {
  it('holds those of one state, and leads to the next until there is none', async () => {
    const revisions = Array.from({ length: 300 }, (_, index) => `rev${index}`);
    await Promise.all(revisions.map((revision) => queues.schedule({ ...job, revision }, now + 1_000, now)));
    await queues.schedule({ ...job, revision: 'due' }, now, now);
    const found: string[] = [];
    let cursor = '0';
    let pages = 0;
    do {
      const page = await queues.page('github', 'delayed', cursor);
      expect(page.jobs.length).toBeLessThan(200);
      found.push(...page.jobs.map(({ revision }) => revision));
      cursor = page.next;
      pages += 1;
    } while (cursor !== '0');
    expect(pages).toBeGreaterThan(1);
    expect(new Set(found)).toEqual(new Set(revisions));
  });

  it('names them as they were scheduled, and passes over what is not ours', async () => {
    await queues.schedule(job, now + 1_000, now);
    await queues
      .queue(refreshQueueName('github'))
      .add('other', {}, { jobId: 'somebody-elses', delay: 1_000 });
    expect(await queues.page('github', 'delayed', '0')).toEqual({ jobs: [job], next: '0' });
  });
});

describe('without Redis', () => {
  it('nothing grows: what failed leaves no listeners on the connection', async () => {
    const gone = connectRedis('redis://127.0.0.1:1', 'request', () => undefined);
    const unreached = new RefreshQueues(gone, 'connectors');
    for (let round = 0; round < 20; round += 1)
      await expect(unreached.request(job)).rejects.toMatchObject({ code: 'queue_unavailable' });
    await vi.waitFor(() => expect(gone.listenerCount('close')).toBeLessThan(3));
    expect(gone.listenerCount('error')).toBeLessThan(3);
    gone.disconnect();
  });

  it('a job that cannot be scheduled is remembered, and scheduled when Redis is there', async () => {
    const connection = connectRedis(server.url, 'request', () => undefined);
    const early = new RefreshQueues(connection, 'connectors');
    await expect(early.schedule(job, now + 9_000, now)).rejects.toMatchObject({ code: 'queue_unavailable' });
    await expect.poll(() => connection.status).toBe('ready');
    await early.scheduleMissed(now);
    expect((await queues.find(job))?.delay).toBe(9_000);

    await queues.remove(job);
    await early.scheduleMissed(now);
    expect(await queues.find(job)).toBeUndefined();
    await early.close();
    connection.disconnect();
  });

  it('fails at once with queue_unavailable', async () => {
    const gone = connectRedis('redis://127.0.0.1:1', 'request', () => undefined);
    await expect(new RefreshQueues(gone, 'connectors').request(job)).rejects.toMatchObject({
      code: 'queue_unavailable',
    });
    gone.disconnect();
  });

  it('a queue that was opened too early works as soon as Redis is there', async () => {
    const connection = connectRedis(server.url, 'request', () => undefined);
    const early = new RefreshQueues(connection, 'connectors');
    await expect(early.request(job)).rejects.toMatchObject({ code: 'queue_unavailable' });
    await vi.waitFor(() => early.request(job));
    await early.close();
    connection.disconnect();
  });
});
