import type { Fault } from '@connectors/dev-servers';
import { EgressGuard } from '@connectors/egress';
import { describe, expect, it } from 'vitest';
import { eventually } from '../eventually.ts';
import { refreshCredential, type RefreshEngine } from '../../src/index.ts';
import { limits } from '../start-refresh.ts';
import { startWorkers } from '../start-workers.ts';
import { setScene } from './scene.ts';

const scene = setScene();

/** As long as a claim lasts, with the margin for clocks that differ. */
const claimMs = limits.attemptMs + limits.clockSkewMs;

function requests() {
  return scene.world.provider.tokenRequests;
}

/** A worker that has sent its token request, and waits for the answer. */
async function startRefreshThatMeets(fault: Fault) {
  const job = await scene.connect();
  scene.world.provider.faults.next(fault);
  const refresh = scene.refresh(job);
  await eventually(() => expect(requests()).toHaveLength(1));
  return { job, refresh };
}

/** A process that is stopped between its claim and its token request for as long as a claim lasts. */
function stoppedWorker(clockThatWentOn: 'monotonic' | 'now'): RefreshEngine {
  let readings = 0;
  // The first reading of the monotonic clock is the claim's, the next one is taken right before sending.
  const isAwake = () => readings < 2;
  const ahead = (clock: 'monotonic' | 'now') => (isAwake() || clock !== clockThatWentOn ? 0 : claimMs);
  return {
    ...scene.world.newEngine(),
    monotonic: () => {
      readings += 1;
      return performance.now() + ahead('monotonic');
    },
    now: () => Date.now() + ahead('now'),
  };
}

/** The integrations, with a token endpoint whose name has to be looked up. */
function integrationsAt(hostname: string): RefreshEngine['integrations'] {
  const demo = scene.world.integrations.get('demo');
  if (demo === undefined) throw new Error('there is no demo');
  const refreshUrl = Object.assign(new URL(scene.world.provider.tokenEndpoint), { hostname }).href;
  return new Map([['demo', { ...demo, provider: { ...demo.provider, refreshUrl } }]]);
}

describe('the loser of a refresh race gets invalid_grant and wipes the winner’s fresh token', () => {
  it('no race is run: five workers with the same job make one token request', async () => {
    const job = await scene.connect();
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => scene.refresh(job)));
    expect(outcomes.filter(({ kind }) => kind === 'refreshed')).toHaveLength(1);
    expect(requests()).toHaveLength(1);
    await scene.expectLivingGrant(job);
  });

  it('who is refused looks again, and leaves what another has stored meanwhile', async () => {
    const refusal = { kind: 'status', status: 400, body: { error: 'invalid_grant' }, held: true } as const;
    const { job, refresh: loser } = await startRefreshThatMeets(refusal);
    expect(await scene.refresh(job, claimMs)).toMatchObject({ kind: 'refreshed' });
    const winners = await scene.stored(job);
    scene.world.provider.faults.release();
    expect(await loser).toEqual({ kind: 'superseded' });
    expect(await scene.stored(job)).toEqual(winners);
    expect(scene.world.events.map(({ type }) => type)).not.toContain('refresh-failed');
    await scene.expectLivingGrant(job);
  });

  it('a refusal that comes while another attempt is under way decides nothing', async () => {
    const refusal = { kind: 'status', status: 400, body: { error: 'invalid_grant' }, held: true } as const;
    const { job, refresh: loser } = await startRefreshThatMeets(refusal);
    scene.world.provider.faults.next({ kind: 'hangAfterRotation' });
    const winner = scene.refresh(job, claimMs);
    await eventually(() => expect(requests()[1]?.status).toBe(200));
    scene.world.provider.faults.release(1);
    expect(await loser).toEqual({ kind: 'superseded' });
    expect((await scene.stored(job)).metadata.status).toBe('active');
    scene.world.provider.faults.release();
    expect(await winner).toMatchObject({ kind: 'refreshed' });
    await scene.expectLivingGrant(job);
  });
});

describe('a lock expires before the provider answers, and its release frees another holder’s lock', () => {
  it.each([
    { whose: 'a worker whose process was stopped past its deadline', clock: 'monotonic' },
    { whose: 'a worker whose machine slept, so that only the wall clock went on,', clock: 'now' },
  ] as const)('$whose sends nothing', async ({ clock }) => {
    const job = await scene.connect();
    const outcome = await refreshCredential(stoppedWorker(clock), job);
    expect(outcome).toMatchObject({ kind: 'retry', reason: 'deadline_missed' });
    expect(requests()).toEqual([]);
    await scene.expectLivingGrant(job);
  });

  it('a worker that is stopped while it connects to the provider sends nothing', async () => {
    const job = await scene.connect();
    const clock = { ahead: 0 };
    const guard = new EgressGuard({
      allow: ['127.0.0.1', 'provider.example'],
      resolve: (_name, _options, found) => {
        clock.ahead = claimMs;
        found(null, [{ address: '127.0.0.1', family: 4 }]);
      },
    });
    const engine = {
      ...scene.world.newEngine(clock),
      guard,
      integrations: integrationsAt('provider.example'),
    };
    expect(await refreshCredential(engine, job)).toMatchObject({ kind: 'retry', reason: 'deadline_missed' });
    expect(requests()).toEqual([]);
    await scene.expectLivingGrant(job);
  });

  it('a job whose lock Redis has lost is taken by a second worker, who spends nothing', async () => {
    const job = await scene.connect();
    scene.world.provider.faults.next({ kind: 'hangAfterRotation' });
    await startWorkers(scene.world, 2);
    await scene.world.queues.hasten(job, Date.now());
    await eventually(() => expect(requests()[0]?.status).toBe(200));
    await scene.world.redis.del(`connectors:refresh-demo:${job.tenantId}.${job.revision}:lock`);
    // The second worker meets the claim, and puts the job off.
    await scene.jobAs('delayed', job);
    scene.world.provider.faults.release();
    await eventually(async () => expect((await scene.stored(job)).metadata.refreshCount).toBe(1));
    expect(requests()).toHaveLength(1);
    await scene.expectLivingGrant(job);
  });

  it('a claim written by a clock that is a year ahead holds as long as any other, by Vault’s clock', async () => {
    const job = await scene.connect();
    const { credential, version } = await scene.world.vault.credentials.get(job);
    const inAYear = (ms: number) => new Date(Date.now() + 365 * 24 * 60 * 60_000 + ms).toISOString();
    const attempt = { id: 'other', sentAt: inAYear(0), deadline: inAYear(limits.attemptMs) };
    const metadata = { ...credential.metadata, attempt };
    await scene.world.vault.credentials.write(job, { ...credential, metadata }, version);
    expect(await scene.refresh(job)).toMatchObject({ kind: 'held' });
    expect(await scene.refresh(job, claimMs + 1_000)).toMatchObject({ kind: 'refreshed' });
  });

  it('an attempt that ends late leaves the claim of the next one alone', async () => {
    const { job, refresh: late } = await startRefreshThatMeets({ kind: 'status', status: 429, held: true });
    scene.world.provider.faults.next({ kind: 'hang' });
    const next = scene.refresh(job, claimMs);
    await eventually(() => expect(requests()).toHaveLength(2));
    const { attempt } = (await scene.stored(job)).metadata;
    // Only the first is let go: what it writes must not look like the end of the second.
    scene.world.provider.faults.release(1);
    expect(await late).toMatchObject({ kind: 'retry', reason: 'http_429' });
    expect((await scene.stored(job)).metadata.attempt).toEqual(attempt);
    expect(await scene.refresh(job, claimMs)).toMatchObject({ kind: 'held' });
    scene.world.provider.faults.release();
    expect(await next).toMatchObject({ kind: 'refreshed' });
  });

  it('a slow provider is waited for as long as the claim holds, not only as long as a request is sure to have', async () => {
    const job = await scene.connect();
    const engine = scene.world.newEngine();
    engine.limits = { ...engine.limits, requestMs: 50 };
    scene.world.provider.faults.next({ kind: 'hangAfterRotation' });
    const sentAt = performance.now();
    const refresh = refreshCredential(engine, job);
    await eventually(() => expect(performance.now() - sentAt).toBeGreaterThan(500));
    scene.world.provider.faults.release();
    expect(await refresh).toMatchObject({ kind: 'refreshed' });
  });

  it('an answer that comes after the deadline, but before anybody else may ask, is kept', async () => {
    const job = await scene.connect();
    const engine = scene.world.newEngine();
    engine.limits = { ...engine.limits, attemptMs: 1_500, requestMs: 50 };
    scene.world.provider.faults.next({ kind: 'hangAfterRotation' });
    const refresh = refreshCredential(engine, job);
    await eventually(() => expect(requests()).toHaveLength(1));
    const deadline = Date.parse((await scene.stored(job)).metadata.attempt?.deadline ?? '');
    await eventually(() => expect(Date.now()).toBeGreaterThan(deadline + 300));
    scene.world.provider.faults.release();
    expect(await refresh).toMatchObject({ kind: 'refreshed' });
  });
});

describe('waiting for the lock times out, and the refresh goes on without it', () => {
  it('a worker that finds a claim waits for its end, however often it looks', async () => {
    const { job, refresh: holder } = await startRefreshThatMeets({ kind: 'hangAfterRotation' });
    const deadline = Date.parse((await scene.stored(job)).metadata.attempt?.deadline ?? '');
    const until = deadline + limits.clockSkewMs;
    for (const now of [deadline - limits.attemptMs, deadline, until - 1]) {
      const waiting = { ...scene.world.newEngine(), now: () => now };
      expect(await refreshCredential(waiting, job)).toEqual({ kind: 'held', until });
    }
    scene.world.provider.faults.release();
    expect(await holder).toMatchObject({ kind: 'refreshed' });
    expect(requests()).toHaveLength(1);
    await scene.expectLivingGrant(job);
  });

  it('a job that is hastened waits for it as well', async () => {
    const { job, refresh: holder } = await startRefreshThatMeets({ kind: 'hangAfterRotation' });
    await startWorkers(scene.world);
    await scene.world.queues.hasten(job, Date.now());
    await scene.jobAs('delayed', job);
    scene.world.provider.faults.release();
    expect(await holder).toMatchObject({ kind: 'refreshed' });
    expect(requests()).toHaveLength(1);
  });
});
