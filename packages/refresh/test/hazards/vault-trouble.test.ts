import { describe, expect, it } from 'vitest';
import { sealed, type Fault, type RelayedRequest } from '../../../vault-core/test/start-relay.ts';
import { refreshCredential } from '../../src/index.ts';
import { eventually } from '../eventually.ts';
import { limits } from '../start-refresh.ts';
import { setScene } from './scene.ts';

const scene = setScene();

/** Refreshes with a worker that has the provider's answer, and from then on trouble with Vault until `mend`. */
async function refreshInto(
  trouble: (request: RelayedRequest) => Fault | Promise<Fault | undefined> | undefined,
) {
  const job = await scene.connect();
  const { relay, engine } = await scene.workerBehindRelay();
  const { faults, tokenRequests } = scene.world.provider;
  faults.next({ kind: 'hangAfterRotation' });
  const outcome = refreshCredential(engine, job);
  await eventually(() => expect(tokenRequests[0]?.status).toBe(200));
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
    await Promise.race([outcome, eventually(() => expect(scene.world.unsaved.length).toBeGreaterThan(1))]);
    mend();
    expect(await outcome).toMatchObject({ kind: 'refreshed' });
    await scene.expectLivingGrant(job);
  });

  it('tokens in the spool are not passed over because of it', async () => {
    const { job, outcome, mend } = await refreshInto(() => sealed);
    await eventually(async () => expect(await scene.world.newEngine().spool.list()).toContainEqual(job));
    const other = await scene.workerBehindRelay();
    other.relay.disturb = ({ path }) =>
      path === 'transit-refresh/decrypt/_spool' ? { status: 404, body: '<html>404</html>' } : undefined;
    const late = refreshCredential(
      { ...other.engine, now: () => Date.now() + limits.attemptMs + limits.clockSkewMs },
      job,
    );
    await late.catch(() => undefined);
    expect(scene.world.provider.tokenRequests).toHaveLength(1);
    mend();
    expect(await outcome).toMatchObject({ kind: 'refreshed' });
  });
});

describe('one worker is cut off from Vault while the others are not', () => {
  it('what it was issued lies in the spool before anybody else may ask', async () => {
    const silence = Promise.withResolvers<Fault | undefined>();
    const { job, outcome, mend } = await refreshInto(() => silence.promise);
    await eventually(async () => expect(await scene.world.newEngine().spool.list()).toContainEqual(job));
    const claimMs = limits.attemptMs + limits.clockSkewMs;
    expect(await scene.refresh(job, claimMs)).toMatchObject({ kind: 'refreshed' });
    expect(scene.world.provider.tokenRequests).toHaveLength(1);
    mend();
    silence.resolve(undefined);
    expect(await outcome).toEqual({ kind: 'superseded' });
    await scene.expectLivingGrant(job);
  });
});
