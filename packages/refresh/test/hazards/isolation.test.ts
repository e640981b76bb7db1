import { beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../eventually.ts';
import { startWorkers } from '../start-workers.ts';
import { setScene } from './scene.ts';

const scene = setScene(async () => ({ slow: { refreshConcurrency: 2 } }));

beforeEach(() => scene.world.redis.flushall());

/** Jobs of the integration whose provider hangs, and a worker that has as many of them under way as it may. */
async function startWhileSlowHangs(count: number) {
  const { provider, queues } = scene.world;
  const jobs = await Promise.all(Array.from({ length: count }, () => scene.connect('slow')));
  provider.faults.next({ kind: 'hang' }, Infinity);
  await startWorkers(scene.world);
  for (const job of jobs) await queues.hasten(job, Date.now());
  await eventually(() => expect(provider.tokenRequests).toHaveLength(2));
  provider.faults.clear();
  return jobs;
}

describe('one tenant’s slow provider blocks everyone’s refreshes', () => {
  it('an integration whose provider hangs holds up no other', async () => {
    const slow = await startWhileSlowHangs(5);
    const job = await scene.connect('demo');
    await scene.world.queues.hasten(job, Date.now());
    await scene.jobAs('completed', job);
    const states = await Promise.all(
      slow.map(async (each) => (await scene.world.queues.find(each))?.getState()),
    );
    expect(states.filter((state) => state === 'active')).toHaveLength(2);
    expect(states.filter((state) => state === 'prioritized')).toHaveLength(3);

    scene.world.provider.faults.release();
    await Promise.all(slow.map((each) => scene.jobAs('completed', each)));
  });

  it('nor does it hold up requests to refresh now', async () => {
    await startWhileSlowHangs(5);
    const job = await scene.connect('demo');
    const { credential, version } = await scene.world.vault.credentials.get(job);
    const issuedAnHourAgo = {
      ...credential.metadata,
      tokenIssuedAt: new Date(Date.now() - 3_600_000).toISOString(),
    };
    await scene.world.vault.credentials.write(job, { ...credential, metadata: issuedAnHourAgo }, version);
    await scene.world.queues.request(job);
    await scene.jobAs('completed', job);
    expect((await scene.stored(job)).metadata.refreshCount).toBe(1);
  });

  it('a tenant whose refresh hangs takes one place of its integration, and the others go on', async () => {
    const [hanging, ...others] = await Promise.all(Array.from({ length: 4 }, () => scene.connect('slow')));
    if (hanging === undefined) throw new Error('there is no job');
    scene.world.provider.faults.next({ kind: 'hang' });
    await startWorkers(scene.world);
    await scene.world.queues.hasten(hanging, Date.now());
    await eventually(() => expect(scene.world.provider.tokenRequests).toHaveLength(1));
    for (const job of others) await scene.world.queues.hasten(job, Date.now());
    await Promise.all(others.map((job) => scene.jobAs('completed', job)));
    expect(await (await scene.world.queues.find(hanging))?.getState()).toBe('active');
  });
});
