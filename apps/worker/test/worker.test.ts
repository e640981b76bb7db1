import { startRedis } from '@connectors/dev-servers';
import { connectRedis, RefreshQueues, type RefreshJobData } from '@connectors/vault-core';
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

/** The tokens must work: the authorization server revokes a grant whose refresh token is spent twice. */
async function expectLivingGrant({ tenantId }: RefreshJobData) {
  const { accessToken } = await world.admin.getCredentials(tenantId, 'demo');
  const { introspectionEndpoint, introspectionClient } = world.provider;
  const { clientId, clientSecret } = introspectionClient;
  const response = await fetch(introspectionEndpoint, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
    },
    body: new URLSearchParams({ token: accessToken }),
  });
  expect(await response.json()).toMatchObject({ active: true });
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
    await Promise.all(jobs.map(expectLivingGrant));
    const shares = workers.map(({ lines }) => lines.filter(({ msg }) => msg === 'refresh').length);
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(3);
  });

  it('that run one job at the same time, after Redis has lost its lock, spend its refresh token once', async () => {
    const job = await world.connect(newId(), { meets: { kind: 'hang' } });
    await Promise.all([startProcess(world.env), startProcess(world.env)]);
    await vi.waitFor(() => expect(world.refreshRequests()).toHaveLength(1));
    await world.redis.flushall();
    await world.queues.hasten(job, Date.now());
    // The second worker meets the claim.
    await world.jobAs('delayed', job);
    world.provider.faults.release();
    await vi.waitFor(async () => expect((await world.stored(job)).metadata.refreshCount).toBe(1));
    expect(world.refreshRequests()).toHaveLength(1);
    await expectLivingGrant(job);
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

describe('a worker that is killed while a token request is under way', () => {
  // As short as an attempt can be.
  const short = {
    REFRESH_REQUEST_SECONDS: '1',
    REFRESH_ATTEMPT_SECONDS: '2',
    REFRESH_CLOCK_SKEW_SECONDS: '0',
  };

  async function killDuring(kind: 'hang' | 'hangAfterRotation') {
    const patient = {
      ...world.env,
      REFRESH_CLOCK_SKEW_SECONDS: '0',
      REFRESH_ATTEMPT_SECONDS: '3',
      REFRESH_REQUEST_SECONDS: '2',
    };
    const job = await world.connect(newId(), { meets: { kind } });
    const first = await startProcess(patient);
    const hanging = () => world.provider.tokenRequests.filter(({ fault }) => fault === kind);
    await vi.waitFor(() => expect(hanging()).toHaveLength(1));
    first.child.kill('SIGKILL');
    await first.exited;
    // Released before the provider has noticed, the request would still be handled.
    await vi.waitFor(() => expect(hanging()).toMatchObject([{ aborted: true }]));
    world.provider.faults.release();
    return { job, attempt: (await world.stored(job)).metadata.attempt };
  }

  it('leaves its claim, and nobody asks before that has run out', async () => {
    const { job, attempt } = await killDuring('hang');
    await startProcess({ ...world.env, ...short });
    await world.jobAs('completed', job);
    const [, second] = world.provider.tokenRequests.filter(
      ({ grantType, fault }) => fault === 'hang' || grantType === 'refresh_token',
    );
    expect(second?.at).toBeGreaterThanOrEqual(Date.parse(attempt?.deadline ?? ''));
    expect((await world.stored(job)).metadata).toMatchObject({ refreshCount: 1, status: 'active' });
    await expectLivingGrant(job);
  });

  it('is reported as a lost response if the provider had rotated the refresh token', async () => {
    const { job } = await killDuring('hangAfterRotation');
    await startProcess({ ...world.env, ...short });
    expect((await world.jobAs('failed', job)).failedReason).toBe('response_lost');
    expect((await world.stored(job)).metadata).toMatchObject({
      status: 'needs_reauth',
      statusReason: 'response_lost',
    });
  });
});
