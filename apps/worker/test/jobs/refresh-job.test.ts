import type { Fault } from '@connectors/dev-servers';
import type { ConnectorsEvent, CredentialId, RefreshJobData } from '@connectors/vault-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WorkerApp } from '../../src/app.ts';
import { startInProcess, startWorld, type World } from '../start-world.ts';

let world: World;
let worker: WorkerApp;
let id: CredentialId;
let tenants = 0;

beforeAll(async () => {
  world = await startWorld();
  worker = await startInProcess(world.env);
});

afterAll(async () => {
  await worker.close();
  await world.close();
});

beforeEach(async () => {
  // What an earlier test left to be tried again would count here.
  await world.clear();
  tenants += 1;
  id = { tenantId: `tenant-${tenants}`, integration: 'demo' };
});

function announced(type: ConnectorsEvent['type']) {
  return world.events.filter((event) => event.type === type);
}

/** Everything that Redis holds of a job. */
function inRedis({ tenantId, revision }: RefreshJobData) {
  return world.redis.hgetall(`connectors:refresh-demo:${tenantId}.${revision}`);
}

describe('a job that is due', () => {
  it('refreshes its credential with no more rights in Vault than the shipped policy gives', async () => {
    await world.jobAs('completed', await world.connect(id));
    expect((await world.stored(id)).metadata).toMatchObject({ refreshCount: 1, status: 'active' });
  });

  it('returns the new revision and its expiry, nothing else', async () => {
    const { returnvalue } = (await world.jobAs('completed', await world.connect(id))) as {
      returnvalue: unknown;
    };
    const { expiresAt, metadata } = await world.stored(id);
    expect(returnvalue).toEqual({ revision: metadata.revision, expiresAt });
  });

  it('is followed by a job for the new token, and an event for those who hold the old one', async () => {
    await world.jobAs('completed', await world.connect(id));
    const { revision } = (await world.stored(id)).metadata;
    await world.jobAs('delayed', { ...id, revision });
    await expect.poll(() => announced('refresh-success')).toMatchObject([{ ...id, revision }]);
  });

  it('for a state that has been replaced ends without asking the provider', async () => {
    const older = await world.connect(id, { isScheduled: false });
    await world.connect(id, { expiresIn: 3_600 });
    await world.queues.hasten(older, Date.now());
    const { returnvalue } = (await world.jobAs('completed', older)) as { returnvalue: unknown };
    expect(returnvalue).toEqual({ superseded: true });
    expect(world.refreshRequests()).toEqual([]);
  });
});

describe('a refresh token that the provider refuses', () => {
  const meets: Fault = {
    kind: 'status',
    status: 400,
    body: { error: 'invalid_grant', error_description: 'words of the provider' },
  };

  it('fails its job for good, with a code for a reason', async () => {
    const job = await world.jobAs('failed', await world.connect(id, { meets }));
    expect(job).toMatchObject({ failedReason: 'invalid_grant', attemptsMade: 1 });
    expect(world.refreshRequests()).toHaveLength(1);
  });

  it('leaves neither a stack nor the words of the provider in Redis', async () => {
    const data = await world.connect(id, { meets });
    await world.jobAs('failed', data);
    const hash = await inRedis(data);
    expect(hash['stacktrace'] ?? '[]').toBe('[]');
    expect(JSON.stringify(hash)).not.toContain('words of the provider');
  });

  it('is announced with the code', async () => {
    const data = await world.connect(id, { meets });
    await world.jobAs('failed', data);
    await expect.poll(() => announced('refresh-failed')).toMatchObject([{ ...data, error: 'invalid_grant' }]);
  });
});

describe('a provider that answers 503', () => {
  const meets: Fault = { kind: 'status', status: 503 };

  it('delays the job by a backoff that grows with every failure in a row', async () => {
    const data = await world.connect(id, { meets, times: 2 });
    const first = await world.jobAs('delayed', data);
    expect(first.attemptsMade).toBe(1);
    expect(first.delay).toBeGreaterThanOrEqual(1_000);
    expect(first.delay).toBeLessThanOrEqual(2_000);
    await first.promote();
    await expect.poll(async () => (await world.queues.find(data))?.attemptsMade).toBe(2);
    const second = await world.jobAs('delayed', data);
    expect(second.delay).toBeGreaterThanOrEqual(2_000);
    expect(second.delay).toBeLessThanOrEqual(4_000);
  });

  it('is announced with the count of failures', async () => {
    const data = await world.connect(id, { meets, times: 2 });
    await (await world.jobAs('delayed', data)).promote();
    await expect
      .poll(() => announced('refresh-retry'))
      .toEqual([
        { type: 'refresh-retry', ...data, error: 'http_503', retryCount: 1 },
        { type: 'refresh-retry', ...data, error: 'http_503', retryCount: 2 },
      ]);
  });

  it('costs nothing once it answers again', async () => {
    const data = await world.connect(id, { meets });
    await world.jobAs('completed', data);
    expect((await world.stored(id)).metadata).toMatchObject({ refreshCount: 1, status: 'active' });
  });
});

describe('an attempt that another worker has under way', () => {
  it('puts the job off until it is over, and counts no failure', async () => {
    const data = await world.connect(id, { isScheduled: false });
    const { credential, version } = await world.admin.credentials.get(id);
    const deadline = Date.now() + 3_600_000;
    const attempt = {
      id: 'other',
      sentAt: new Date().toISOString(),
      deadline: new Date(deadline).toISOString(),
    };
    const metadata = { ...credential.metadata, attempt };
    await world.admin.credentials.write(id, { ...credential, metadata }, version);
    await world.queues.schedule(data, 0, Date.now());
    const job = await world.jobAs('delayed', data);
    expect(job.attemptsMade).toBe(0);
    const heldBy = job.delay - (deadline - Date.now());
    // The margin for clock skew, and what the test took.
    expect(heldBy).toBeGreaterThan(4_900);
    expect(heldBy).toBeLessThan(10_000);
    expect(world.refreshRequests()).toEqual([]);
  });
});

describe('without Vault', () => {
  it('a refresh is tried again later, and nothing is spent', async () => {
    const data = await world.connect(id, { isScheduled: false });
    world.vaultServer.seal();
    await world.queues.schedule(data, 0, Date.now());
    const job = await world.jobAs('delayed', data);
    world.vaultServer.unseal();
    expect(world.refreshRequests()).toEqual([]);
    expect(job.failedReason).toBe('vault_unavailable');
    await world.jobAs('completed', data);
    expect((await world.stored(id)).metadata.refreshCount).toBe(1);
  });
});

describe('a document in Vault that is none', () => {
  it('fails with a code, and is tried again after somebody has mended it', async () => {
    const data = await world.connect(id, { isScheduled: false });
    const { credential, version } = await world.admin.credentials.get(id);
    const broken = { ...credential, expiresAt: 'soon' };
    const next = await world.admin.credentials.write(id, broken, version);
    await world.queues.schedule(data, 0, Date.now());
    const job = await world.jobAs('delayed', data);
    expect(job.failedReason).toMatch(/^[a-z_]+$/);
    await world.admin.credentials.write(id, credential, next);
    await world.jobAs('completed', data);
    await vi.waitFor(async () => expect((await world.stored(id)).metadata.refreshCount).toBe(1));
  });
});
