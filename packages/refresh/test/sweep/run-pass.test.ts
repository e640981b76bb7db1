import { refreshQueueName, Secret, VaultClient, type RefreshJobData } from '@connectors/vault-core';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { scheduleRefresh, StateIndex } from '../../src/index.ts';
import { passQueueName } from '../../src/sweep/run-pass.ts';
import { startSweeps } from './start-sweeps.ts';

vi.setConfig({ testTimeout: 90_000 });

let world: Awaited<ReturnType<typeof startSweeps>>;

beforeEach(async () => {
  world = await startSweeps();
});

const delayed = (integration = 'demo') => world.queues.queue(refreshQueueName(integration)).getDelayedCount();

function storeMany(count: number): Promise<RefreshJobData[]> {
  const names = Array.from({ length: count }, (_, index) => `tenant-${index}`);
  return Promise.all(names.map((tenantId) => world.store({ tenantId, integration: 'demo' })));
}

/** A pass has been completed, so that the next one trickles. */
async function sweepOnce(): Promise<void> {
  const worker = world.start();
  await expect.poll(worker.completed).toHaveLength(1);
  await worker.stop();
}

describe('a pass', () => {
  it('restores what is missing of all tenants, and says so in one line', async () => {
    await storeMany(3);
    await world.vault.credentials.write(
      { tenantId: 'broken', integration: 'demo' },
      { nothing: true } as never,
      0,
    );
    const worker = world.start();
    await expect.poll(worker.completed).toEqual([
      expect.objectContaining({
        speed: 'full',
        tenants: 4,
        credentials: 3,
        restored: 3,
        revived: 0,
        removed: 0,
        unreadable: 1,
        failed: 0,
        calls: 8,
        seconds: expect.any(Number) as number,
      }),
    ]);
    expect(await delayed()).toBe(3);
  });

  it('takes a tenant that is gone out of the index of states, where a late event had put it', async () => {
    const states = new StateIndex(world.redis, 'connectors', Date.now);
    const error = 'http_500';
    const about = { tenantId: 'gone', integration: 'demo', revision: 'r' };
    await states.note({ type: 'refresh-retry', ...about, error, retryCount: 1 });
    expect(await states.count()).toMatchObject({ failing: 1 });
    await sweepOnce();
    expect(await states.count()).toMatchObject({ failing: 0 });
  });

  it('is the epoch when it was completed, and only then', async () => {
    await storeMany(2);
    await world.ask();
    expect((await world.passes.look()).last).toBeUndefined();
    await sweepOnce();
    expect((await world.passes.look()).last).toMatchObject({ tally: { tenants: 2 } });
  });

  it('shows in the metrics of every worker, whoever led it', async () => {
    const workers = [world.start({ intervalMs: 100 }), world.start({ intervalMs: 100 })];
    for (const { metrics } of workers) {
      const shown = async () => (await metrics.lastSweep.get()).values[0]?.value;
      await expect.poll(shown).toBeGreaterThan(Date.now() / 1000 - 60);
    }
  });

  it('is not due again before the interval is over, also for a worker that has just started', async () => {
    await sweepOnce();
    await world.ask();
    expect(await world.queues.queue(passQueueName).count()).toBe(0);
    await world.ask(1);
    expect(await world.queues.queue(passQueueName).count()).toBe(1);
  });

  it('that is asked for twice and not due any more does nothing', async () => {
    await sweepOnce();
    await world.ask(1);
    const worker = world.start();
    await expect
      .poll(() => world.queues.queue(passQueueName).getJobCountByTypes('waiting', 'active'))
      .toBe(0);
    expect(worker.completed()).toEqual([]);
    expect((await world.passes.look()).current).toBeUndefined();
  });

  it('is one at a time, also where it takes longer than the interval', async () => {
    await storeMany(10);
    await sweepOnce();
    const workers = [1, 2, 3].map(() => world.start({ intervalMs: 10, callsPerSecond: 60 }));
    const completed = () => workers.flatMap((worker) => worker.completed());
    let most = 0;
    await vi.waitFor(
      async () => {
        most = Math.max(most, await world.queues.queue(passQueueName).getJobCountByTypes());
        expect(completed().length).toBeGreaterThanOrEqual(3);
      },
      { timeout: 20_000, interval: 1 },
    );
    expect(most).toBe(1);
    expect(completed().map(({ tenants }) => tenants)).toEqual(completed().map(() => 10));
  });
});

describe('a pass through thousands of tenants', () => {
  it('never has more than 500 of them in Redis', { timeout: 180_000 }, async () => {
    await world.makeFolders(5_000);
    const worker = world.start();
    let most = 0;
    await vi.waitFor(
      async () => {
        most = Math.max(most, await world.tenantQueue.count());
        expect(worker.completed()).toEqual([expect.objectContaining({ tenants: 5_000, failed: 0 })]);
      },
      { timeout: 120_000, interval: 5 },
    );
    expect(most).toBeGreaterThan(100);
    expect(most).toBeLessThanOrEqual(500);
  });
});

describe('a pass while nothing is missing', () => {
  it('keeps to the limit of calls to Vault', async () => {
    await storeMany(20);
    await sweepOnce();
    const worker = world.start({ intervalMs: 1, callsPerSecond: 40 });
    await expect
      .poll(() => worker.completed()[0], { timeout: 20_000 })
      .toMatchObject({
        speed: 'trickle',
        restored: 0,
        // A call for each tenant, one for its credential, and one more for the job.
        calls: 60,
      });
    expect(worker.completed()[0]?.seconds).toBeGreaterThan(1.2);
  });
});

describe('a worker that leads a pass', () => {
  it('and is asked to end leaves it to another, which goes on from there', async () => {
    await sweepOnce();
    await storeMany(30);
    const options = { intervalMs: 500, callsPerSecond: 20 };
    const first = world.start(options);
    const left = await world.underWay();
    await first.stop();
    expect(first.completed()).toEqual([]);

    const second = world.start({ intervalMs: 500, callsPerSecond: 20 });
    await expect.poll(second.completed, { timeout: 20_000 }).toHaveLength(1);
    expect((await world.passes.look()).last?.id).toBe(left?.id);
    // Each tenant once: what the first one had swept was not swept again.
    expect(second.completed()[0]).toMatchObject({ tenants: 30, restored: 30 });
  });
});

describe('Redis is wiped', () => {
  it('while a pass trickles: the next one begins within the interval, at full speed', async () => {
    await storeMany(40);
    await sweepOnce();
    const worker = world.start({ intervalMs: 300, callsPerSecond: 10 });
    const before = await world.underWay();
    await world.redis.flushall();
    await expect.poll(() => delayed()).toBe(40);
    await expect.poll(() => worker.completed()[0]).toMatchObject({ speed: 'full', tenants: 40 });
    expect((await world.passes.look()).last?.id).not.toBe(before?.id);
  });

  it('while a pass runs at full speed: it begins anew, and restores what it had restored before', async () => {
    await world.makeFolders(1_000);
    // Names that come before the folders.
    const jobs = await Promise.all(
      ['a', 'b', 'c'].map((tenantId) => world.store({ tenantId, integration: 'demo' })),
    );
    const worker = world.start({ intervalMs: 300 });
    await expect.poll(() => delayed()).toBe(3);
    expect((await world.passes.look()).last).toBeUndefined();
    await world.redis.flushall();
    for (const job of jobs) await expect.poll(() => world.queues.find(job)).toBeDefined();
    await expect
      .poll(() => worker.completed()[0], { timeout: 50_000 })
      .toMatchObject({
        speed: 'full',
        tenants: 1_003,
        restored: 3,
      });
  });
});

describe('a tenant that fails', () => {
  /** Vault's answer to the worker for one tenant is no. */
  async function startDenied(tenantId: string) {
    const { url, rootToken } = world.vaultServer;
    const call = (path: string, body: object) =>
      fetch(`${url}/v1/${path}`, {
        method: 'POST',
        headers: { 'x-vault-token': rootToken },
        body: JSON.stringify(body),
      });
    const policy = `path "secret/*" { capabilities = ["list", "read"] }
      path "secret/metadata/${tenantId}/" { capabilities = ["deny"] }`;
    await call('sys/policies/acl/most', { policy });
    const created = await call('auth/token/create', { policies: ['most'] });
    const { auth } = (await created.json()) as { auth: { client_token: string } };
    const vault = new VaultClient({ address: url, token: auth.client_token, maxRetries: 0 });
    const worker = world.start({ intervalMs: 1_000, vault });
    return { worker, vault };
  }

  it('does not stop the pass; it is counted, and the next pass cannot wait for long', async () => {
    await storeMany(3);
    const { worker, vault } = await startDenied('tenant-1');
    await expect.poll(() => delayed()).toBe(2);
    const passes = () => worker.completed().slice(0, 2);
    await expect
      .poll(passes, { timeout: 40_000 })
      .toEqual([
        expect.objectContaining({ level: 40, tenants: 3, restored: 2, failed: 1 }),
        expect.objectContaining({ speed: 'full', tenants: 3, restored: 0, failed: 1 }),
      ]);
    await worker.stop();
    await vault.close();
  });
});

describe('a pass that meets Vault sealed', () => {
  it('goes on when it is unsealed', async () => {
    await storeMany(30);
    world.vaultServer.seal();
    const worker = world.start({ intervalMs: 200 });
    await expect.poll(() => worker.said().map(({ msg }) => msg)).toContain('job failed');
    world.vaultServer.unseal();
    await expect
      .poll(() => worker.completed()[0], { timeout: 10_000 })
      .toMatchObject({
        tenants: 30,
        restored: 30,
        failed: 0,
      });
  });
});

describe('a job that could not be scheduled because Redis was out of reach', () => {
  it('is scheduled when the worker reaches it again, without a sweep', async () => {
    await sweepOnce();
    const worker = world.start();
    await expect.poll(() => worker.requests.status).toBe('ready');
    worker.requests.disconnect();
    const job = await world.store({ tenantId: 'acme', integration: 'demo' });
    await scheduleRefresh(worker.engine, job, (await world.vault.credentials.get(job)).credential);
    // BullMQ may be at it already.
    await worker.requests.connect().catch(() => undefined);
    await expect.poll(() => delayed()).toBe(1);
    expect(worker.completed()).toEqual([]);
  });
});

describe('what lies in the spool', () => {
  it('is landed as soon as a worker starts, however late its job is due', async () => {
    const job = await world.connect({ tenantId: 'acme', integration: 'demo' });
    await sweepOnce();
    const { spool } = world.newEngine();
    await spool.prepare();
    await spool.put(job, {
      accessToken: new Secret('spooled-access'),
      refreshToken: new Secret('spooled-refresh'),
      expiresAt: new Date(Date.now() + 60 * 60_000),
      scopes: undefined,
      tokenType: 'Bearer',
    });
    world.start();
    const stored = () => world.vault.getCredentials('acme', 'demo').then(({ accessToken }) => accessToken);
    await expect.poll(stored).toBe('spooled-access');
    expect(world.provider.tokenRequests).toEqual([]);
  });
});
