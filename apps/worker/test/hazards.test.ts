import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startProcess } from './start-process.ts';
import { startWorld, type World } from './start-world.ts';

// Processes take their time to start on a machine that is busy.
vi.setConfig({ testTimeout: 60_000 });

const id = { tenantId: 'tenant-1', integration: 'demo' };

let world: World;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world.close());

beforeEach(() => world.clear());

describe('a lock expires before the provider answers, and its release frees another holder’s lock', () => {
  it('a worker that stands still loses its job to another, who spends nothing; awake again, it saves its answer', async () => {
    const job = await world.connect(id, { meets: { kind: 'hangAfterRotation' } });
    const first = await startProcess(world.env);
    await vi.waitFor(() => expect(world.refreshRequests()[0]?.status).toBe(200), 10_000);
    first.child.kill('SIGSTOP');
    await startProcess(world.env);
    // The second worker has the job as soon as its lock is over, and meets the claim.
    await world.jobAs('delayed', job);
    world.provider.faults.release();
    first.child.kill('SIGCONT');
    await vi.waitFor(async () => expect((await world.stored(job)).metadata.refreshCount).toBe(1), 10_000);
    expect(world.refreshRequests()).toHaveLength(1);
    await world.expectLivingGrant(job);
  });
});

describe('the response is lost after the provider rotated, for its worker was killed', () => {
  // As short as an attempt can be.
  const short = {
    REFRESH_REQUEST_SECONDS: '1',
    REFRESH_ATTEMPT_SECONDS: '2',
    REFRESH_CLOCK_SKEW_SECONDS: '0',
  };

  async function killDuring(kind: 'hang' | 'hangAfterRotation') {
    const patient = { ...world.env, ...short, REFRESH_ATTEMPT_SECONDS: '3', REFRESH_REQUEST_SECONDS: '2' };
    const job = await world.connect(id, { meets: { kind } });
    const first = await startProcess(patient);
    const hanging = () => world.provider.tokenRequests.filter(({ fault }) => fault === kind);
    await vi.waitFor(() => expect(hanging()).toHaveLength(1), 10_000);
    first.child.kill('SIGKILL');
    await first.exited;
    // Released before the provider has noticed, the request would still be handled.
    await vi.waitFor(() => expect(hanging()).toMatchObject([{ aborted: true }]), 10_000);
    world.provider.faults.release();
    return { job, attempt: (await world.stored(job)).metadata.attempt };
  }

  it('its claim stands, and nobody asks before that has run out', async () => {
    const { job, attempt } = await killDuring('hang');
    await startProcess({ ...world.env, ...short });
    await world.jobAs('completed', job);
    const [, second] = world.provider.tokenRequests.filter(
      ({ grantType, fault }) => fault === 'hang' || grantType === 'refresh_token',
    );
    expect(second?.at).toBeGreaterThanOrEqual(Date.parse(attempt?.deadline ?? ''));
    expect((await world.stored(job)).metadata).toMatchObject({ refreshCount: 1, status: 'active' });
    await world.expectLivingGrant(job);
  });

  it('if the refresh token was rotated, that is a lost response and not a revocation', async () => {
    const { job } = await killDuring('hangAfterRotation');
    await startProcess({ ...world.env, ...short });
    expect((await world.jobAs('failed', job)).failedReason).toBe('response_lost');
    expect((await world.stored(job)).metadata).toMatchObject({
      status: 'needs_reauth',
      statusReason: 'response_lost',
    });
  });
});
