import { describe, expect, it } from 'vitest';
import { batchSize, callsPerTenant, VaultPace } from '../../src/sweep/pace.ts';

describe('the pace of a pass', () => {
  it('is its limit of calls per second', () => {
    let now = 0;
    const pace = new VaultPace(100, () => now);
    for (let calls = 0; calls < 1_000; calls += 4) now += pace.book(4);
    expect(now).toBe(9_960);
  });

  it('holds also where batches differ in size', () => {
    const pace = new VaultPace(10, () => 0);
    expect([1, 30, 5, 1].map((calls) => pace.book(calls))).toEqual([0, 100, 3_100, 3_600]);
  });

  it('is not caught up after a stop', () => {
    let now = 0;
    const pace = new VaultPace(10, () => now);
    pace.book(1);
    now = 60_000;
    expect([pace.book(1), pace.book(1)]).toEqual([0, 100]);
  });

  it('knows no limit at full speed', () => {
    const pace = new VaultPace(Infinity, () => 0);
    expect([pace.book(1_000_000), pace.book(1)]).toEqual([0, 0]);
  });
});

describe('a batch of tenants', () => {
  it('is what a fifth of a second allows', () => {
    expect(batchSize(100, 2)).toBe(10);
    expect(batchSize(100, 4)).toBe(5);
  });

  it('is one at least, and a hundred at most', () => {
    expect(batchSize(1, 30)).toBe(1);
    expect(batchSize(Infinity, 2)).toBe(100);
  });

  it('is judged by what the tenants before have cost', () => {
    expect(callsPerTenant({ calls: 0, tenants: 0 })).toBe(2);
    expect(callsPerTenant({ calls: 300, tenants: 50 })).toBe(6);
  });
});

describe('sweeping a hundred thousand tenants with one integration each', () => {
  it('takes little more than half an hour at the default limit', () => {
    let now = 0;
    const pace = new VaultPace(100, () => now);
    const size = batchSize(100, 2);
    for (let tenants = 0; tenants < 100_000; tenants += size) now += pace.book(size * 2);
    expect(now / 60_000).toBeCloseTo(33.3, 1);
  });
});
