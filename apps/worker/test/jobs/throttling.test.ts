import { readFile, writeFile } from 'node:fs/promises';
import type { Fault } from '@connectors/dev-servers';
import { requestQueueName, type CredentialId } from '@connectors/vault-core';
import { afterEach, beforeAll, afterAll, describe, expect, it } from 'vitest';
import type { WorkerApp } from '../../src/app.ts';
import { startInProcess, startWorld, type World } from '../start-world.ts';

const throttled: Fault = { kind: 'status', status: 429, headers: { 'retry-after': '3600' } };

let world: World;
let worker: WorkerApp;
let tenants = 0;

beforeAll(async () => {
  world = await startWorld();
});

afterAll(() => world.close());

afterEach(async () => {
  await worker.close();
  await world.clear();
});

function newId(integration = 'demo'): CredentialId {
  tenants += 1;
  return { tenantId: `tenant-${tenants}`, integration };
}

/** A worker with two integrations: `demo`, and `other` at the same authorization server. */
async function startWithTwo(limits: object = {}) {
  const path = world.env['CONNECTORS_CONFIG'] ?? '';
  const { integrations } = JSON.parse(await readFile(path, 'utf8')) as { integrations: { demo: object } };
  const other = { ...integrations.demo, clientSecretEnv: 'DEMO_CLIENT_SECRET', ...limits };
  const config = `${path}.two.yaml`;
  await writeFile(config, JSON.stringify({ integrations: { ...integrations, other } }));
  worker = await startInProcess({ ...world.env, CONNECTORS_CONFIG: config });
}

describe('a provider that answers 429 with Retry-After', () => {
  it('is not asked again for that credential before the time is over, and the failure counts', async () => {
    await startWithTwo();
    const job = await world.jobAs('delayed', await world.connect(newId(), { meets: throttled }));
    expect(job.delay).toBeGreaterThan(3_590_000);
    expect(job.delay).toBeLessThanOrEqual(3_600_000);
    expect(job.attemptsMade).toBe(1);
  });

  it('is asked for no other credential of the integration until then, or until 5 minutes are over', async () => {
    await startWithTwo();
    await world.jobAs('delayed', await world.connect(newId(), { meets: throttled }));
    const next = await world.connect(newId());
    await world.jobAs('prioritized', next);
    expect(await world.queues.throttledForMs('demo')).toBeGreaterThan(290_000);
    expect(await world.queues.throttledForMs('demo')).toBeLessThanOrEqual(300_000);
    expect(world.refreshRequests()).toHaveLength(1);
  });

  it('holds up no other integration', async () => {
    await startWithTwo();
    await world.jobAs('delayed', await world.connect(newId(), { meets: throttled }));
    expect(await world.jobAs('completed', await world.connect(newId('other')))).toBeDefined();
  });

  it.each(['the credential that met it', 'another one'])(
    'is not asked sooner by a request to refresh %s now, and who waits for that is told',
    async (which) => {
      await startWithTwo();
      const met = await world.connect(newId(), { meets: throttled });
      await world.jobAs('delayed', met);
      const wanted = which === 'another one' ? await world.connect(newId()) : met;
      await world.queues.request(wanted);
      await expect
        .poll(() => world.events.filter(({ type }) => type === 'refresh-declined'))
        .toEqual([{ type: 'refresh-declined', ...wanted, error: 'throttled' }]);
      expect(await world.queues.queue(requestQueueName).getFailedCount()).toBe(0);
      expect(world.refreshRequests()).toHaveLength(1);
    },
  );

  it('is asked all the same once the time is over', async () => {
    await startWithTwo();
    const meets: Fault = { kind: 'status', status: 429, headers: { 'retry-after': '1' } };
    expect(await world.jobAs('completed', await world.connect(newId(), { meets }))).toBeDefined();
  });
});

it('a provider whose integration sets a rate is not asked more often', async () => {
  await startWithTwo({ refreshesPerSecond: 2 });
  const jobs = await Promise.all(Array.from({ length: 5 }, () => world.connect(newId('other'))));
  await Promise.all(jobs.map((job) => world.jobAs('completed', job)));
  const times = world.refreshRequests().map(({ at }) => at);
  // Two in each second: the fifth comes in the third.
  expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(1_000);
});
