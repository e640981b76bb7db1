import { describe, expect, it } from 'vitest';
import { setScene } from './scene.ts';

const scene = setScene();

/** Later than the deadline of an attempt. */
const laterMs = 60_000;

async function endGrant({ tenantId, integration }: { tenantId: string; integration: string }) {
  const { accessToken } = await scene.world.vault.getCredentials(tenantId, integration);
  await scene.world.provider.revokeGrant(accessToken);
}

describe('the response is lost after the provider rotated', () => {
  async function lose(kind: 'cut' | 'cutAfterRotation') {
    const job = await scene.connect();
    scene.world.provider.faults.next({ kind });
    await scene.refresh(job);
    return job;
  }

  it('the attempt is on record, and keeps everybody else out until its deadline', async () => {
    const job = await lose('cutAfterRotation');
    expect((await scene.stored(job)).metadata.attempt).toMatchObject({ id: expect.any(String) as string });
    expect(await scene.refresh(job)).toMatchObject({ kind: 'held' });
    expect(scene.world.provider.tokenRequests).toHaveLength(1);
  });

  it('the next attempt finds out that nothing was rotated, and all is well', async () => {
    const job = await lose('cut');
    expect(await scene.refresh(job, laterMs)).toMatchObject({ kind: 'refreshed' });
    expect((await scene.stored(job)).metadata.attempt).toBeUndefined();
    await scene.expectLivingGrant(job);
  });

  it('the next attempt finds the token spent: that is a lost response, not a revocation', async () => {
    const job = await lose('cutAfterRotation');
    expect(await scene.refresh(job, laterMs)).toEqual({ kind: 'needs_reauth', reason: 'response_lost' });
    expect((await scene.stored(job)).metadata).toMatchObject({
      status: 'needs_reauth',
      statusReason: 'response_lost',
    });
    expect(scene.world.events).toContainEqual({ type: 'refresh-failed', ...job, error: 'response_lost' });
  });

  it('the doubt outlives a next attempt that fails for another reason', async () => {
    const job = await lose('cutAfterRotation');
    scene.world.provider.faults.next({ kind: 'status', status: 429 });
    expect(await scene.refresh(job, laterMs)).toMatchObject({ kind: 'retry', reason: 'http_429' });
    expect(await scene.refresh(job, laterMs)).toEqual({ kind: 'needs_reauth', reason: 'response_lost' });
  });

  it.each([
    { answer: '503', fault: { kind: 'status', status: 503 } },
    { answer: 'a page of HTML with 200', fault: { kind: 'status', status: 200, body: '<h1>Welcome</h1>' } },
  ] as const)('$answer leaves the same doubt, and no need to wait', async ({ fault }) => {
    const job = await scene.connect();
    scene.world.provider.faults.next(fault);
    expect(await scene.refresh(job)).toMatchObject({ kind: 'retry' });
    await endGrant(job);
    expect(await scene.refresh(job)).toEqual({ kind: 'needs_reauth', reason: 'response_lost' });
  });

  it('an attempt that was answered leaves no doubt: a revocation after it is a revocation', async () => {
    const job = await scene.connect();
    scene.world.provider.faults.next({ kind: 'status', status: 429 });
    expect(await scene.refresh(job)).toMatchObject({ kind: 'retry' });
    await endGrant(job);
    expect(await scene.refresh(job)).toEqual({ kind: 'needs_reauth', reason: 'invalid_grant' });
  });
});
