import { CredentialNotFoundError, type RefreshJobData } from '@connectors/vault-core';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../eventually.ts';
import { refreshCredential } from '../../src/index.ts';
import { limits } from '../start-refresh.ts';
import { isWrite, setScene } from './scene.ts';

const scene = setScene();

afterEach(() => scene.world.provider.setAccessTokenTtl(3_600));

/** Refreshes, and lets things happen after the provider has rotated and before its answer comes. */
async function refreshWhile(job: RefreshJobData, change: () => Promise<unknown>) {
  const { provider } = scene.world;
  provider.faults.next({ kind: 'hangAfterRotation' });
  const refresh = scene.refresh(job);
  await eventually(() => expect(provider.tokenRequests[0]?.status).toBe(200));
  await change();
  provider.faults.release();
  return refresh;
}

/** What some other writer does: the tokens stay as they are. */
async function touch(job: RefreshJobData, createdBy: string): Promise<void> {
  const { credential, version } = await scene.world.vault.credentials.get(job);
  const metadata = { ...credential.metadata, createdBy };
  await scene.world.vault.credentials.write(job, { ...credential, metadata }, version);
}

describe('the rotation succeeded, its save failed, and the error was swallowed', () => {
  it.each([
    { vault: 'that reads and does not write', fault: { status: 403, body: '{"errors":["denied"]}' } },
    {
      vault: 'that was sealed since the read',
      fault: { status: 503, body: '{"errors":["Vault is sealed"]}' },
    },
    { vault: 'whose connection breaks', fault: 'reset' },
  ] as const)('nothing is spent with a Vault $vault', async ({ fault }) => {
    const job = await scene.connect();
    const { relay, engine } = await scene.workerBehindRelay();
    relay.disturb = (request) => (isWrite(request) ? fault : undefined);
    await expect(refreshCredential(engine, job)).rejects.toMatchObject({ code: 'vault_unavailable' });
    expect(scene.world.provider.tokenRequests).toEqual([]);
    await scene.expectLivingGrant(job);
  });

  it('new tokens are kept and tried until Vault takes them, and every failure is told', async () => {
    const job = await scene.connect();
    const refresh = refreshWhile(job, async () => scene.world.vaultServer.seal());
    await eventually(() => expect(scene.world.unsaved.length).toBeGreaterThan(2));
    expect(scene.world.unsaved[0]).toMatchObject(job);
    scene.world.vaultServer.unseal();
    expect(await refresh).toMatchObject({ kind: 'refreshed' });
    await scene.expectLivingGrant(job);
  });

  it('Vault falls silent just then: whoever takes over finds the new tokens, and spends nothing', async () => {
    const job = await scene.connect();
    const { relay, engine } = await scene.workerBehindRelay();
    const silence = Promise.withResolvers<undefined>();
    relay.disturb = ({ path }) => (path.includes('/encrypt/') ? silence.promise : undefined);
    const first = refreshCredential(engine, job);
    await eventually(() => expect(relay.requests.some(({ path }) => path.includes('/encrypt/'))).toBe(true));
    expect(await scene.refresh(job, limits.attemptMs + limits.clockSkewMs)).toMatchObject({
      kind: 'refreshed',
    });
    expect(scene.world.provider.tokenRequests).toHaveLength(1);
    silence.resolve(undefined);
    expect(await first).toEqual({ kind: 'superseded' });
    await scene.expectLivingGrant(job);
  });

  it('a save whose answer is lost is not taken for another’s', async () => {
    const job = await scene.connect();
    const { relay, engine } = await scene.workerBehindRelay();
    let writes = 0;
    relay.disturb = (request) => (isWrite(request) && ++writes === 2 ? 'lost answer' : undefined);
    expect(await refreshCredential(engine, job)).toMatchObject({ kind: 'refreshed' });
    expect((await scene.stored(job)).metadata).toMatchObject({ refreshCount: 1 });
    await scene.expectLivingGrant(job);
  });

  it('a claim whose answer is lost is not taken for another’s', async () => {
    const job = await scene.connect();
    const { relay, engine } = await scene.workerBehindRelay({ maxRetries: 1 });
    let writes = 0;
    relay.disturb = (request) => (isWrite(request) && ++writes === 1 ? 'lost answer' : undefined);
    expect(await refreshCredential(engine, job)).toMatchObject({ kind: 'refreshed' });
    expect(scene.world.provider.tokenRequests).toHaveLength(1);
  });
});

describe('an unrelated write wins the compare-and-set and the rotation is dropped', () => {
  it('the rotation is written on top of it, and it stays', async () => {
    const job = await scene.connect();
    const outcome = await refreshWhile(job, () => touch(job, 'another-writer'));
    expect(outcome).toMatchObject({ kind: 'refreshed' });
    expect((await scene.stored(job)).metadata).toMatchObject({
      createdBy: 'another-writer',
      refreshCount: 1,
    });
    await scene.expectLivingGrant(job);
  });

  it('however many come in between', async () => {
    const job = await scene.connect();
    const { relay, engine } = await scene.workerBehindRelay();
    let writes = 0;
    relay.disturb = async (request) => {
      if (isWrite(request) && ++writes >= 2 && writes <= 6) await touch(job, `writer-${writes}`);
      return undefined;
    };
    expect(await refreshCredential(engine, job)).toMatchObject({ kind: 'refreshed' });
    expect((await scene.stored(job)).metadata.createdBy).toBe('writer-6');
    await scene.expectLivingGrant(job);
  });

  it('also where the new token expires earlier than the stored one: lineage tells which is newer', async () => {
    const job = await scene.connect();
    scene.world.provider.setAccessTokenTtl(60);
    const outcome = await refreshWhile(job, () => touch(job, 'another-writer'));
    expect(outcome).toMatchObject({ kind: 'refreshed' });
    await scene.expectLivingGrant(job);
  });

  it('a reconnect wins over the rotation, also where its token expires earlier', async () => {
    const job = await scene.connect();
    let reconnected = job;
    const outcome = await refreshWhile(job, async () => {
      scene.world.provider.setAccessTokenTtl(60);
      reconnected = await scene.world.connect(job);
    });
    expect(outcome).toEqual({ kind: 'superseded' });
    expect((await scene.stored(job)).metadata.revision).toBe(reconnected.revision);
    await scene.expectLivingGrant(job);
  });

  it('a deletion wins over the rotation', async () => {
    const job = await scene.connect();
    const { vault } = scene.world;
    const outcome = await refreshWhile(job, () => vault.deleteCredentials(job.tenantId, job.integration));
    expect(outcome).toEqual({ kind: 'superseded' });
    await expect(scene.stored(job)).rejects.toBeInstanceOf(CredentialNotFoundError);
  });
});

describe('the provider omits refresh_token on refresh, and the old one is erased', () => {
  const omitted = { kind: 'status', status: 200, body: { access_token: 'new', expires_in: 3_600 } } as const;

  it('what is omitted is kept', async () => {
    const job = await scene.connect();
    const before = await scene.world.vault.getCredentials(job.tenantId, job.integration);
    scene.world.provider.faults.next(omitted);
    expect(await scene.refresh(job)).toMatchObject({ kind: 'refreshed' });
    const after = await scene.world.vault.getCredentials(job.tenantId, job.integration);
    expect(after.accessToken).toBe('new');
    expect(after.refreshToken).toBe(before.refreshToken);
    await scene.expectLivingGrant(job);
  });
});
