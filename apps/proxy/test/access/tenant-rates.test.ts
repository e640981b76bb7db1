import { expect, test } from 'vitest';
import { TenantRates, type CountTogether } from '../../src/access/tenant-rates.ts';

const limit = { perSecond: 100, burst: 200 };

/** Replicas on one clock, and what counts for them all. */
function fleet(replicas: number) {
  const sums = new Map<string, number>();
  const state = { now: 0, isDown: false, losesAnswers: false };
  const countTogether: CountTogether = (counts) => {
    if (state.isDown) return Promise.reject(new Error('down'));
    for (const [tenantId, count] of counts) sums.set(tenantId, (sums.get(tenantId) ?? 0) + count);
    if (state.losesAnswers) return Promise.reject(new Error('lost'));
    return Promise.resolve(
      new Map([...counts.keys()].map((tenantId) => [tenantId, sums.get(tenantId) ?? 0])),
    );
  };
  const rates = Array.from(
    { length: replicas },
    () => new TenantRates({ limit, countTogether, now: () => state.now }),
  );
  /** Each replica is asked every 10 ms, more than may pass; they report every 250 ms. Returns how many passed. */
  const run = async (seconds: number, tenantId = 'acme') => {
    let passed = 0;
    const until = state.now + seconds * 1_000;
    for (; state.now < until; state.now += 10) {
      for (const rate of rates) for (let i = 0; i < 5; i += 1) if (rate.take(tenantId) === 0) passed += 1;
      if (state.now % 250 === 0) for (const rate of rates) await rate.report();
    }
    return passed;
  };
  return { rates, run, state, sums };
}

test.each([1, 2, 10])('%i replicas together let pass what the limit says', async (replicas) => {
  const { run } = fleet(replicas);
  // What was kept at the beginning, in each replica.
  await run(30);
  const perSecond = (await run(60)) / 60;
  expect(perSecond).toBeGreaterThan(95);
  expect(perSecond).toBeLessThan(105);
});

test('while nobody counts together, each replica keeps the limit by itself', async () => {
  const { run, state } = fleet(3);
  state.isDown = true;
  await run(10);
  const perSecond = (await run(60)) / 60;
  expect(perSecond).toBeGreaterThan(295);
  expect(perSecond).toBeLessThan(305);
});

test.each(['isDown', 'losesAnswers'] as const)(
  'what passed during an outage (%s) is not made up for after it',
  async (outage) => {
    const { run, state } = fleet(3);
    await run(10);
    state[outage] = true;
    await run(60);
    state[outage] = false;
    await run(1);
    expect(await run(10)).toBeGreaterThan(900);
  },
);

test('a count that begins anew is no debt, and no gift', async () => {
  const { run, sums } = fleet(2);
  await run(30);
  sums.clear();
  expect(await run(1)).toBeLessThan(200);
  const passed = await run(10);
  expect(passed).toBeGreaterThan(900);
  expect(passed).toBeLessThan(1_100);
});

test('tenants do not take from each other', async () => {
  const { rates, run } = fleet(1);
  await run(10, 'busy');
  expect(rates[0]?.take('quiet')).toBe(0);
});

test('a pause does not fill a bucket that takes longer to fill', () => {
  const state = { now: 0 };
  const slow = { perSecond: 1, burst: 100 };
  const countTogether: CountTogether = (counts) => Promise.resolve(counts);
  const rates = new TenantRates({ limit: slow, countTogether, now: () => state.now });
  const takeAll = () => Array.from({ length: 200 }, () => rates.take('acme')).filter((wait) => wait === 0);
  expect(takeAll()).toHaveLength(100);
  state.now += 20_000;
  void rates.report();
  expect(takeAll()).toHaveLength(20);
});

test('a tenant that sends nothing is counted no more', async () => {
  const { run, rates, state, sums } = fleet(1);
  await run(1);
  state.now += 10_000;
  sums.clear();
  await rates[0]?.report();
  expect(sums.size).toBe(0);
});
