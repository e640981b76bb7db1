import type { Fault } from '@connectors/dev-servers';
import { refreshJobId, type RefreshJob, type RefreshJobData } from '@connectors/vault-core';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../eventually.ts';
import { refreshCredential, refreshNow } from '../../src/index.ts';
import { startWorkers } from '../start-workers.ts';
import { setScene } from './scene.ts';

const scene = setScene(async () => ({ assumed: { assumedLifetime: 7_200 } }));

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

afterEach(() => scene.world.provider.setAccessTokenTtl(3_600));

/** The answer of a token endpoint, in which a test may leave out what others have. */
function answer(body: object, headers: Record<string, string> = {}): Fault {
  return { kind: 'status', status: 200, headers, body: { access_token: 'new', ...body } };
}

/** The job for the state that is stored now. */
async function nextJob(job: RefreshJobData): Promise<RefreshJob | undefined> {
  const { revision } = (await scene.stored(job)).metadata;
  return scene.world.queues.find({ ...job, revision });
}

function dueOf({ timestamp, delay }: RefreshJob): number {
  return timestamp + delay;
}

async function expiryOf(job: RefreshJobData): Promise<number> {
  return Date.parse((await scene.stored(job)).expiresAt ?? '');
}

describe('the job carries a copy of the credential', () => {
  it('a job is three ids', async () => {
    const job = await scene.connect();
    const { tenantId, revision } = job;
    const kept = await scene.world.redis.hgetall(`connectors:refresh-demo:${refreshJobId(job)}`);
    expect(JSON.parse(kept['data'] ?? '')).toEqual({ tenantId, integration: 'demo', revision });
    expect(JSON.stringify(kept)).not.toContain('vault:v');
  });

  it('what it refreshes is read when it runs: for tokens that were replaced since it does nothing', async () => {
    const old = await scene.connect();
    const job = await scene.world.connect(old);
    await startWorkers(scene.world);
    await scene.world.queues.hasten(old, Date.now());
    expect((await scene.jobAs('completed', old)).returnvalue).toEqual({ superseded: true });
    expect(scene.world.provider.tokenRequests).toEqual([]);
    await scene.expectLivingGrant(job);
  });
});

describe('no expires_in, so the token is never refreshed', () => {
  it('a provider may have a lifetime to assume, and then its refresh is scheduled', async () => {
    const job = await scene.connect('assumed');
    scene.world.provider.faults.next(answer({}));
    const before = Date.now();
    expect(await scene.refresh(job)).toMatchObject({ kind: 'refreshed' });
    expect(await expiryOf(job)).toBeGreaterThanOrEqual(before + 2 * hour);
    expect(await (await nextJob(job))?.getState()).toBe('delayed');
  });

  it('without one, a token that its upstream refuses is refreshed all the same', async () => {
    const job = await scene.connect();
    scene.world.provider.faults.next(answer({}));
    expect(await scene.refresh(job)).toMatchObject({ kind: 'refreshed', expiresAt: undefined });
    expect(await nextJob(job)).toBeUndefined();
    const { revision } = (await scene.stored(job)).metadata;
    const refused = { ...job, revision };
    expect(await refreshNow(scene.world.newEngine({ ahead: hour }), refused)).toBe('hastened');
    await startWorkers(scene.world);
    await scene.jobAs('completed', refused);
    await scene.expectLivingGrant(job);
  });
});

describe('delayed jobs are lost with Redis', () => {
  it('whoever starts or finds Redis again puts them back, due when they were', async () => {
    const job = await scene.connect();
    const due = dueOf(await scene.jobAs('delayed', job));
    await scene.world.redis.flushall();
    await startWorkers(scene.world, 2);
    expect(Math.abs(dueOf(await scene.jobAs('delayed', job)) - due)).toBeLessThan(5_000);
  });
});

describe('a job id that was used before is silently dropped', () => {
  it('each state of a credential has an id of its own, so that every refresh is followed by another', async () => {
    let job = await scene.connect();
    await startWorkers(scene.world);
    const done: string[] = [];
    for (let round = 1; round <= 3; round += 1) {
      await scene.world.queues.hasten(job, Date.now());
      await scene.jobAs('completed', job);
      done.push(refreshJobId(job));
      job = { ...job, revision: (await scene.stored(job)).metadata.revision };
      await scene.jobAs('delayed', job);
    }
    expect(new Set([...done, refreshJobId(job)]).size).toBe(4);
  });

  it('a reconnect after a failure for good has one, too', async () => {
    const job = await scene.connect();
    await startWorkers(scene.world);
    const { accessToken } = await scene.world.vault.getCredentials(job.tenantId, job.integration);
    await scene.world.provider.revokeGrant(accessToken);
    await scene.world.queues.hasten(job, Date.now());
    await eventually(async () => expect((await scene.stored(job)).metadata.status).toBe('needs_reauth'));
    const reconnected = await scene.world.connect(job);
    await scene.jobAs('delayed', reconnected);
    await scene.world.queues.hasten(reconnected, Date.now());
    await scene.jobAs('completed', reconnected);
    expect((await scene.stored(job)).metadata).toMatchObject({ status: 'active', refreshCount: 1 });
  });
});

describe('Vault is restored from a backup, with a state whose job has ended', () => {
  it('that job is taken up again on demand', async () => {
    const job = await scene.connect();
    const backup = await scene.stored(job);
    await startWorkers(scene.world);
    await scene.world.queues.hasten(job, Date.now());
    await scene.jobAs('completed', job);
    await scene.world.vault.credentials.replace(job, backup);
    // A provider that does not rotate still takes the restored refresh token.
    scene.world.provider.faults.next(answer({ expires_in: 3_600 }));
    expect(await refreshNow(scene.world.newEngine({ ahead: hour }), job)).toBe('hastened');
    await eventually(async () => expect((await scene.stored(job)).metadata.refreshCount).toBe(1));
  });
});

describe('a worker dies between the save and the next schedule', () => {
  it('whoever takes the job up again schedules what is stored', async () => {
    const job = await scene.connect();
    await scene.refresh(job);
    await (await nextJob(job))?.remove();
    expect(await scene.refresh(job)).toEqual({ kind: 'superseded' });
    expect(await (await nextJob(job))?.getState()).toBe('delayed');
  });
});

describe('a clock skew larger than the lifetime makes a refresh loop', () => {
  it.each([
    { provider: 'two hours behind', skewMs: -2 * hour },
    { provider: 'two hours ahead', skewMs: 2 * hour },
  ])('a point in time is read on the clock of its provider, $provider', async ({ skewMs }) => {
    const job = await scene.connect();
    const theirs = Date.now() + skewMs;
    const expiresAt = Math.round(theirs / 1_000) + 60;
    scene.world.provider.faults.next(
      answer({ expires_at: expiresAt }, { date: new Date(theirs).toUTCString() }),
    );
    const before = Date.now();
    await scene.refresh(job);
    expect((await expiryOf(job)) - before).toBeGreaterThan(30_000);
    expect((await expiryOf(job)) - before).toBeLessThan(90_000);
    expect((await nextJob(job))?.delay).toBeGreaterThan(10_000);
  });

  it.each([
    { worker: 'an hour ahead', ahead: hour },
    { worker: 'an hour behind', ahead: -hour },
  ])('a worker whose clock is $worker waits half of a short life, too', async ({ ahead }) => {
    scene.world.provider.setAccessTokenTtl(20);
    const job = await scene.connect();
    // Both clocks: the claim is judged on each.
    expect(await refreshCredential(scene.world.newEngine({ ahead }), job)).toMatchObject({
      kind: 'refreshed',
    });
    const delay = (await nextJob(job))?.delay ?? 0;
    expect(delay).toBeGreaterThan(5_000);
    expect(delay).toBeLessThanOrEqual(10_000);
  });

  it('a life that is shorter than the lead is no reason to refresh again at once', async () => {
    scene.world.provider.setAccessTokenTtl(20);
    const job = await scene.connect();
    await startWorkers(scene.world);
    await scene.world.queues.hasten(job, Date.now());
    await scene.jobAs('completed', job);
    const next = { ...job, revision: (await scene.stored(job)).metadata.revision };
    expect((await scene.jobAs('delayed', next)).delay).toBeGreaterThan(5_000);
    expect(scene.world.provider.tokenRequests).toHaveLength(1);
  });
});

describe('the refresh token is stored with the lifetime of the access token', () => {
  it('the two lifetimes are two facts', async () => {
    const job = await scene.connect();
    const before = Date.now();
    scene.world.provider.faults.next(
      answer({ refresh_token: 'next', expires_in: 60, refresh_token_expires_in: day / 1_000 }),
    );
    await scene.refresh(job);
    const { metadata } = await scene.stored(job);
    expect(await expiryOf(job)).toBeLessThan(before + 2 * minute);
    expect(Date.parse(metadata.refreshTokenExpiresAt ?? '')).toBeGreaterThanOrEqual(before + day);
  });

  it('a refresh token is good for long after its access token has expired', async () => {
    const job = await scene.connect();
    expect(await scene.refresh(job, 30 * day)).toMatchObject({ kind: 'refreshed' });
  });

  it('and a failure after that costs nothing', async () => {
    const job = await scene.connect();
    scene.world.provider.faults.next({ kind: 'status', status: 503 });
    expect(await scene.refresh(job, 30 * day)).toMatchObject({ kind: 'retry' });
    await scene.expectLivingGrant(job);
  });
});
