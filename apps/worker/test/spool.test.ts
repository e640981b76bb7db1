import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startProcess } from './start-process.ts';
import { startWorld, type World } from './start-world.ts';

// Processes take their time to start on a machine that is busy.
vi.setConfig({ testTimeout: 60_000 });

let world: World;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world.close());

beforeEach(() => world.clear());

const id = { tenantId: 'tenant-1', integration: 'demo' };

/** A worker that has new tokens in the spool, because Vault was sealed before it could save them. */
async function startWithSpooledTokens() {
  const job = await world.connect(id, { meets: { kind: 'hangAfterRotation' } });
  const worker = await startProcess(world.env);
  await vi.waitFor(() => expect(world.refreshRequests()[0]?.status).toBe(200), 10_000);
  world.vaultServer.seal();
  world.provider.faults.release();
  await vi.waitFor(async () => expect(await world.redis.hlen('connectors:spool')).toBe(1), 10_000);
  return { job, worker };
}

describe('Vault is sealed between token response and save', () => {
  it('and the worker is killed after that: the new tokens are in Vault when it is back', async () => {
    const { job, worker } = await startWithSpooledTokens();
    worker.child.kill('SIGKILL');
    await worker.exited;
    world.vaultServer.unseal();
    await startProcess(world.env);
    await vi.waitFor(async () => expect((await world.stored(job)).metadata.refreshCount).toBe(1), 20_000);
    expect(world.refreshRequests()).toHaveLength(1);
    await vi.waitFor(async () => expect(await world.redis.hlen('connectors:spool')).toBe(0));
  });

  it('and the worker is asked to end: it ends in time, and leaves them to the next one', async () => {
    const { job, worker } = await startWithSpooledTokens();
    worker.child.kill('SIGTERM');
    expect(await worker.exited).toEqual([0, null]);
    world.vaultServer.unseal();
    await startProcess(world.env);
    await vi.waitFor(async () => expect((await world.stored(job)).metadata.refreshCount).toBe(1), 20_000);
    expect(world.refreshRequests()).toHaveLength(1);
  });

  it('and comes back: the worker saves them itself', async () => {
    const { job } = await startWithSpooledTokens();
    world.vaultServer.unseal();
    await vi.waitFor(async () => expect((await world.stored(job)).metadata.refreshCount).toBe(1), 20_000);
    await vi.waitFor(async () => expect(await world.redis.hlen('connectors:spool')).toBe(0));
    expect(world.refreshRequests()).toHaveLength(1);
  });
});
