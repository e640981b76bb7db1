import { CredentialNotFoundError, type RefreshJobData } from '@connectors/vault-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { refreshCredential } from '../src/index.ts';
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

  it('announces the new revision', async () => {
    await refreshCredential(world.newEngine(), job);
    const { expiresAt, metadata } = await stored();
    expect(world.events).toContainEqual({
      type: 'refresh-success',
      tenantId: job.tenantId,
      integration: 'demo',
      revision: metadata.revision,
      expiresAt,
    });
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

  it('that runs on five workers at once spends the refresh token once', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, () => refreshCredential(world.newEngine(), job)),
    );
    expect(outcomes.filter(({ kind }) => kind === 'refreshed')).toHaveLength(1);
    expect(world.provider.tokenRequests).toHaveLength(1);
    await expectLivingGrant();
  });

  it('waits for the deadline of an attempt that another worker has under way', async () => {
    world.provider.faults.next({ kind: 'hang' });
    const first = refreshCredential(world.newEngine(), job);
    await vi.waitFor(() => expect(world.provider.tokenRequests).toHaveLength(1));
    const second = await refreshCredential(world.newEngine(), job);
    expect(second.kind).toBe('held');
    world.provider.faults.release();
    expect(await first).toMatchObject({ kind: 'refreshed' });
    expect(world.provider.tokenRequests).toHaveLength(1);
  });
});

describe('a claim', () => {
  it('that Vault does not take spends nothing', async () => {
    world.vaultServer.seal();
    await expect(refreshCredential(world.newEngine(), job)).rejects.toMatchObject({
      code: 'vault_unavailable',
    });
    world.vaultServer.unseal();
    expect(world.provider.tokenRequests).toEqual([]);
    expect(await refreshCredential(world.newEngine(), job)).toMatchObject({ kind: 'refreshed' });
  });

  it('of a process that was stopped past its deadline is not used any more', async () => {
    let readings = 0;
    const stopped = {
      ...world.newEngine(),
      // The first reading is the claim's, the next one is taken right before sending.
      monotonic: () => performance.now() + (readings++ === 0 ? 0 : 60_000),
    };
    expect(await refreshCredential(stopped, job)).toMatchObject({ kind: 'retry', reason: 'deadline_missed' });
    expect(world.provider.tokenRequests).toEqual([]);
    expect(await refreshCredential(world.newEngine(), job)).toMatchObject({ kind: 'refreshed' });
  });
});

describe('while a token request is under way', () => {
  async function duringRequest(change: () => Promise<unknown>) {
    world.provider.faults.next({ kind: 'hangAfterRotation' });
    const refresh = refreshCredential(world.newEngine(), job);
    await vi.waitFor(() => expect(world.provider.tokenRequests[0]?.status).toBe(200));
    await change();
    world.provider.faults.release();
    return refresh;
  }

  it('a slow provider is waited for as long as the claim holds', async () => {
    const engine = world.newEngine();
    engine.limits = { ...engine.limits, requestMs: 50 };
    world.provider.faults.next({ kind: 'hangAfterRotation' });
    const sentAt = performance.now();
    const refresh = refreshCredential(engine, job);
    await vi.waitFor(() => expect(performance.now() - sentAt).toBeGreaterThan(500));
    world.provider.faults.release();
    expect(await refresh).toMatchObject({ kind: 'refreshed' });
  });

  it('another write to the document does not cost the rotation', async () => {
    const outcome = await duringRequest(async () => {
      const { credential, version } = await world.vault.credentials.get(job);
      await world.vault.credentials.write(job, { ...credential, scopes: ['changed'] }, version);
    });
    expect(outcome).toMatchObject({ kind: 'refreshed' });
    await expectLivingGrant();
  });

  it('a reconnect wins over the rotation', async () => {
    let reconnected = '';
    const outcome = await duringRequest(async () => {
      const tokens = {
        accessToken: 'new',
        refreshToken: 'new',
        scopes: [],
        tokenType: 'Bearer',
        integration: 'demo',
      };
      const { metadata } = await world.vault.storeCredentials(job.tenantId, 'demo', tokens);
      reconnected = metadata.revision;
    });
    expect(outcome).toEqual({ kind: 'superseded' });
    expect((await stored()).metadata.revision).toBe(reconnected);
  });

  it('a deletion wins over the rotation', async () => {
    const outcome = await duringRequest(() => world.vault.deleteCredentials(job.tenantId, 'demo'));
    expect(outcome).toEqual({ kind: 'superseded' });
    await expect(stored()).rejects.toBeInstanceOf(CredentialNotFoundError);
  });

  it('a Vault that goes away does not cost the rotation', async () => {
    world.provider.faults.next({ kind: 'hangAfterRotation' });
    const refresh = refreshCredential(world.newEngine(), job);
    await vi.waitFor(() => expect(world.provider.tokenRequests[0]?.status).toBe(200));
    world.vaultServer.seal();
    world.provider.faults.release();
    await vi.waitFor(() => expect(world.unsaved).toContainEqual(expect.objectContaining(job)));
    world.vaultServer.unseal();
    expect(await refresh).toMatchObject({ kind: 'refreshed' });
    await expectLivingGrant();
  });
});
