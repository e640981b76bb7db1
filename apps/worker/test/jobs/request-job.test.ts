import { requestQueueName, type CredentialId } from '@connectors/vault-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WorkerApp } from '../../src/app.ts';
import { startInProcess, startWorld, type World } from '../start-world.ts';

let world: World;
let worker: WorkerApp & { lines: string[] };
let id: CredentialId;
let tenants = 0;

beforeAll(async () => {
  world = await startWorld();
  worker = await startInProcess({ ...world.env, REFRESH_COOLDOWN_SECONDS: '0' });
});

afterAll(async () => {
  await worker.close();
  await world.close();
});

beforeEach(() => {
  world.provider.tokenRequests.length = 0;
  world.events.length = 0;
  worker.lines.length = 0;
  tenants += 1;
  id = { tenantId: `tenant-${tenants}`, integration: 'demo' };
});

async function metric(labels: string) {
  const text = await (await fetch(`${worker.url}/metrics`)).text();
  const line = text.split('\n').find((line) => line.includes(`requests_total{${labels}}`));
  return Number(line?.split(' ')[1] ?? 0);
}

/** Puts anything into the queue, as a proxy could that somebody else has taken over. */
function requestRaw(data: object) {
  return world.queues.queue(requestQueueName).add('refresh', data, { removeOnComplete: true });
}

describe('a request to refresh now', () => {
  it('refreshes a credential that is not due', async () => {
    const data = await world.connect(id, { expiresIn: 3_600 });
    await world.jobAs('delayed', data);
    await world.queues.request(data);
    await world.jobAs('completed', data);
    expect((await world.stored(id)).metadata.refreshCount).toBe(1);
  });

  it('refreshes a credential whose job Redis has lost', async () => {
    const data = await world.connect(id, { expiresIn: 3_600, isScheduled: false });
    await world.queues.request(data);
    await world.jobAs('completed', data);
    expect((await world.stored(id)).metadata.refreshCount).toBe(1);
  });

  it('for a state that is no longer stored is declined, and leaves the stored one alone', async () => {
    const older = await world.connect(id, { isScheduled: false });
    const data = await world.connect(id, { expiresIn: 3_600 });
    await world.queues.request(older);
    await expect
      .poll(() => world.events)
      .toContainEqual({ type: 'refresh-declined', ...older, error: 'superseded' });
    await world.jobAs('delayed', data);
    expect(world.refreshRequests()).toEqual([]);
  });

  it('without Vault fails, and says no more than a code', async () => {
    const data = await world.connect(id, { expiresIn: 3_600 });
    const queue = world.queues.queue(requestQueueName);
    world.vaultServer.seal();
    const job = await queue.add('refresh', data);
    await expect.poll(() => job.getState()).toBe('failed');
    world.vaultServer.unseal();
    const { failedReason, stacktrace } = (await queue.getJob(job.id ?? '')) ?? {};
    expect(failedReason).toBe('vault_unavailable');
    expect(String(stacktrace)).not.toContain(id.tenantId);
  });
});

describe('what a proxy writes', () => {
  it('that is no request is dropped', async () => {
    const before = await metric('integration="unknown",outcome="malformed"');
    await requestRaw({ tenantId: '../_agents', integration: 'demo', revision: 'r' });
    await requestRaw({ tenantId: 't', integration: 'demo', revision: { $gt: '' } });
    await requestRaw({ tenantId: 't', revision: 'r' });
    await expect.poll(() => metric('integration="unknown",outcome="malformed"')).toBe(before + 3);
    expect(worker.lines.join('\n')).not.toContain('_agents');
  });

  it('reaches logs and jobs as the three ids alone', async () => {
    const data = await world.connect(id, { expiresIn: 3_600, isScheduled: false });
    await requestRaw({ ...data, more: 'canary' });
    expect((await world.jobAs('completed', data)).data).toEqual(data);
    expect(worker.lines.join('\n')).not.toContain('canary');
  });

  it('makes no label of a metric for an integration that does not exist', async () => {
    const before = await metric('integration="unknown",outcome="superseded"');
    await requestRaw({ ...id, integration: 'made-up', revision: 'none' });
    await expect.poll(() => metric('integration="unknown",outcome="superseded"')).toBe(before + 1);
  });
});
