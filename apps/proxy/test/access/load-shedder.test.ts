import { expect, test } from 'vitest';
import { LoadShedder } from '../../src/access/load-shedder.ts';

/** Feeds a delay for so many seconds, at the pace at which the timer could tell of it. */
function feeder(shedder: LoadShedder) {
  let now = 0;
  return (lagMs: number, seconds: number) => {
    const until = now + seconds * 1_000;
    for (; now < until; now += 50 + lagMs) shedder.sample(lagMs, now);
  };
}

const turnedAway = (shedder: LoadShedder) =>
  Array.from({ length: 100 }, () => shedder.turnsAway()).filter(Boolean).length;

test('nothing is turned away while the event loop keeps up', () => {
  const shedder = new LoadShedder(200);
  feeder(shedder)(150, 60);
  expect(turnedAway(shedder)).toBe(0);
});

test.each([
  ['begins', [900, 0]],
  ['ends', [0, 900]],
])('a spike turns nothing away if the loop catches up before the second %s', (_when, lags) => {
  const shedder = new LoadShedder(200);
  let now = 0;
  for (let i = 0; i < 20; i += 1) for (const lag of lags) shedder.sample(lag, (now += 500));
  expect(turnedAway(shedder)).toBe(0);
});

test('more is turned away the longer it lasts, but never all', () => {
  const shedder = new LoadShedder(200);
  const feed = feeder(shedder);
  const shares = Array.from({ length: 10 }, () => {
    feed(400, 1.5);
    return turnedAway(shedder);
  });
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  expect(shares[0]).toBeLessThanOrEqual(20);
  expect(shares.at(-1)).toBe(90);
});

test('and less and less when the loop keeps up again', () => {
  const shedder = new LoadShedder(200);
  const feed = feeder(shedder);
  feed(400, 15);
  feed(0, 3);
  expect(turnedAway(shedder)).toBeLessThan(80);
  expect(turnedAway(shedder)).toBeGreaterThan(40);
  feed(0, 12);
  expect(turnedAway(shedder)).toBe(0);
});

test('those turned away are spread evenly', () => {
  const shedder = new LoadShedder(200);
  feeder(shedder)(400, 2.9);
  const pattern = Array.from({ length: 10 }, () => shedder.turnsAway());
  expect(pattern.filter(Boolean)).toHaveLength(4);
  expect(pattern.slice(0, 5).filter(Boolean)).toHaveLength(2);
});
