import type { RefreshJobData } from '@connectors/vault-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { refreshCredential, refreshDueAt } from '../src/index.ts';
import { startRefresh, type RefreshWorld } from './start-refresh.ts';

let world: RefreshWorld;
let job: RefreshJobData;
let tenants = 0;

beforeAll(async () => {
  world = await startRefresh();
});

afterAll(() => world.close());

beforeEach(async () => {
  world.provider.faults.clear();
  world.provider.faults.release();
  tenants += 1;
  job = await world.connect({ tenantId: `tenant-${tenants}`, integration: 'demo' });
});

function stored(id = job) {
  return world.vault.credentials.get(id).then(({ credential }) => credential);
}

/** The tokens must work: the authorization server revokes the grant when a refresh token is spent twice. */
async function expectLivingGrant() {
  const next = { ...job, revision: (await stored()).metadata.revision };
  expect(await refreshCredential(world.newEngine(), next)).toMatchObject({ kind: 'refreshed' });
}

describe('a refresh', () => {
  it('stores the tokens that the provider issued, under a new revision', async () => {
    const before = await world.vault.getCredentials(job.tenantId, 'demo');
    const outcome = await refreshCredential(world.newEngine(), job);
    const after = await world.vault.getCredentials(job.tenantId, 'demo');
    expect(outcome).toMatchObject({ kind: 'refreshed', revision: after.metadata.revision });
    expect(after.accessToken).not.toBe(before.accessToken);
    expect(after.refreshToken).not.toBe(before.refreshToken);
    expect(after.metadata.revision).not.toBe(job.revision);
    await expectLivingGrant();
  });

  it('keeps what the user connected: when, by whom, which scopes', async () => {
    const before = await stored();
    await refreshCredential(world.newEngine(), job);
    const after = await stored();
    expect(after.scopes).toEqual(before.scopes);
    expect(after.metadata).toMatchObject({
      createdAt: before.metadata.createdAt,
      createdBy: 'oauth-proxy',
      refreshCount: 1,
      status: 'active',
    });
  });

  it('leaves no attempt behind', async () => {
    await refreshCredential(world.newEngine(), job);
    expect((await stored()).metadata.attempt).toBeUndefined();
  });

  it('schedules the next one 5 minutes before the new expiry, or a little earlier', async () => {
    await refreshCredential(world.newEngine(), job);
    const { expiresAt, metadata } = await stored();
    const next = await world.queues.find({ ...job, revision: metadata.revision });
    const due = (next?.timestamp ?? 0) + (next?.delay ?? 0);
    const lead = Date.parse(expiresAt ?? '') - due;
    expect(lead).toBeGreaterThan(299_000);
    expect(lead).toBeLessThan(331_000);
  });

  it('announces the new revision and when the next refresh is due, as one event', async () => {
    await refreshCredential(world.newEngine(), job);
    const credential = await stored();
    expect(world.events).toEqual([
      {
        type: 'refresh-success',
        tenantId: job.tenantId,
        integration: 'demo',
        revision: credential.metadata.revision,
        expiresAt: credential.expiresAt,
        dueAt: new Date(refreshDueAt(job, credential) ?? 0).toISOString(),
      },
    ]);
  });
});

describe('a job', () => {
  it('for a revision that is no longer stored does nothing', async () => {
    const outcome = await refreshCredential(world.newEngine(), { ...job, revision: 'older' });
    expect(outcome).toEqual({ kind: 'superseded' });
    expect(world.provider.tokenRequests).toEqual([]);
  });

  it('for a credential that was deleted does nothing', async () => {
    await world.vault.deleteCredentials(job.tenantId, 'demo');
    expect(await refreshCredential(world.newEngine(), job)).toEqual({ kind: 'superseded' });
  });

  it('that runs twice spends the refresh token once', async () => {
    await refreshCredential(world.newEngine(), job);
    expect(await refreshCredential(world.newEngine(), job)).toEqual({ kind: 'superseded' });
    expect(world.provider.tokenRequests).toHaveLength(1);
  });
});
