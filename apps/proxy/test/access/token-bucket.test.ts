import { expect, test } from 'vitest';
import { TokenBucket } from '../../src/access/token-bucket.ts';

const limit = { perSecond: 10, burst: 3 };
const takeAll = (bucket: TokenBucket, now: number) => {
  let taken = 0;
  while (bucket.take(now) === 0) taken += 1;
  return taken;
};

test('as many pass at once as the burst allows', () => {
  expect(takeAll(new TokenBucket(limit, 0), 0)).toBe(3);
});

test('whoever comes back when told passes', () => {
  const bucket = new TokenBucket(limit, 0);
  takeAll(bucket, 0);
  const waitMs = bucket.take(0);
  expect(waitMs).toBe(100);
  expect(bucket.take(waitMs - 1)).toBeGreaterThan(0);
  expect(bucket.take(waitMs)).toBe(0);
});

test('in the long run the rate passes, however it is asked', () => {
  const bucket = new TokenBucket(limit, 0);
  let passed = 0;
  for (let now = 0; now < 60_000; now += 7) if (bucket.take(now) === 0) passed += 1;
  expect(passed).toBeGreaterThanOrEqual(600);
  expect(passed).toBeLessThanOrEqual(603);
});

test('what was not used is kept up to the burst', () => {
  const bucket = new TokenBucket(limit, 0);
  takeAll(bucket, 0);
  expect(takeAll(bucket, 60_000)).toBe(3);
});

test('what others took is waited for', () => {
  const bucket = new TokenBucket(limit, 0);
  bucket.debit(5, 0);
  expect(bucket.take(0)).toBeCloseTo(300);
  expect(bucket.take(300)).toBe(0);
});

test('a clock that goes back gives and takes nothing', () => {
  const bucket = new TokenBucket(limit, 10_000);
  takeAll(bucket, 10_000);
  expect(bucket.take(0)).toBe(100);
  expect(bucket.take(100)).toBe(0);
});
