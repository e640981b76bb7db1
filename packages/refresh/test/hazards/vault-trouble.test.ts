import { VaultClient } from '@connectors/vault-core';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startRelay, type Fault, type RelayedRequest } from '../../../vault-core/test/start-relay.ts';
import { refreshCredential, Spool } from '../../src/index.ts';
import { limits } from '../start-refresh.ts';
import { setScene } from './scene.ts';

const scene = setScene();

/** A worker whose way to Vault can be disturbed, while everybody else's is fine. */
async function startWorkerBehindRelay() {
  const { vaultServer, newEngine, redis } = scene.world;
  const relay = await startRelay(vaultServer.url);
  const vault = new VaultClient({ address: relay.address, token: vaultServer.rootToken, maxRetries: 0 });
  onTestFinished(() => vault.close());
  const spool = new Spool(redis, 'connectors', vault.spoolKeys, Date.now);
  return { relay, engine: { ...newEngine(), credentials: vault.credentials, spool } };
}

/** Refreshes with a worker that has the provider's answer, and from then on trouble with Vault until `mend`. */
async function refreshInto(
  trouble: (request: RelayedRequest) => Fault | Promise<Fault | undefined> | undefined,
) {
  const job = await scene.connect();
  const { relay, engine } = await startWorkerBehindRelay();
  const { faults, tokenRequests } = scene.world.provider;
  faults.next({ kind: 'hangAfterRotation' });
  const outcome = refreshCredential(engine, job);
  await vi.waitFor(() => expect(tokenRequests[0]?.status).toBe(200));
  relay.disturb = trouble;
  faults.release();
  return { job, outcome, mend: () => (relay.disturb = () => undefined) };
}

describe('an answer that is not Vault’s is taken for Vault’s', () => {
  it.each([
    ['a load balancer’s page', '<html>default backend - 404</html>'],
    [
      'a mount that is not there',
      '{"errors":["no handler for route \\"secret/data/\\". route entry not found."]}',
    ],
  ])('%s is no deletion: the new tokens are kept, and not revoked', async (_what, body) => {
    scene.world.unsaved.length = 0;
    const { job, outcome, mend } = await refreshInto(() => ({ status: 404, body }));
    await Promise.race([outcome, vi.waitFor(() => expect(scene.world.unsaved.length).toBeGreaterThan(1))]);
    mend();
    expect(await outcome).toMatchObject({ kind: 'refreshed' });
    await scene.expectLivingGrant(job);
  });

  it('tokens in the spool are not passed over because of it', async () => {
    const { job, mend } = await refreshInto(() => ({ status: 503, body: '{"errors":["Vault is sealed"]}' }));
    await vi.waitFor(async () => expect(await scene.world.newEngine().spool.list()).toContainEqual(job));
    const other = await startWorkerBehindRelay();
    other.relay.disturb = ({ path }) =>
      path === 'transit-refresh/decrypt/_spool' ? { status: 404, body: '<html>404</html>' } : undefined;
    const late = refreshCredential(
      { ...other.engine, now: () => Date.now() + limits.attemptMs + limits.clockSkewMs },
      job,
    );
    await late.catch(() => undefined);
    expect(scene.world.provider.tokenRequests).toHaveLength(1);
    mend();
  });
});

describe('one worker is cut off from Vault while the others are not', () => {
  it('what it was issued lies in the spool before anybody else may ask', async () => {
    const silence = Promise.withResolvers<Fault | undefined>();
    const { job, outcome, mend } = await refreshInto(() => silence.promise);
    await vi.waitFor(
      async () => expect(await scene.world.newEngine().spool.list()).toContainEqual(job),
      4_000,
    );
    const claimMs = limits.attemptMs + limits.clockSkewMs;
    expect(await scene.refresh(job, claimMs)).toMatchObject({ kind: 'refreshed' });
    expect(scene.world.provider.tokenRequests).toHaveLength(1);
    mend();
    silence.resolve(undefined);
    expect(await outcome).toEqual({ kind: 'superseded' });
    await scene.expectLivingGrant(job);
  });
});
