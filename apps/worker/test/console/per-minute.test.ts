import { expect, it } from 'vitest';
import { addUp, perMinute } from '../../src/console/per-minute.ts';

const minute = 60_000;
/** 100 minutes after the epoch, and a bit. */
const now = 100 * minute + 7_000;

it('counts the minute that runs last, and those before it backwards', () => {
  const meta = { count: 9, prevCount: 7, prevTS: 100 * minute };
  expect(perMinute({ meta, data: [4, 3] }, now, 4)).toEqual([0, 3, 4, 2]);
});

it('knows that nothing happened since the last job', () => {
  const meta = { count: 9, prevCount: 7, prevTS: 98 * minute + 1 };
  expect(perMinute({ meta, data: [4] }, now, 5)).toEqual([0, 4, 2, 0, 0]);
});

it('forgets what is too long ago', () => {
  const meta = { count: 9, prevCount: 7, prevTS: minute };
  expect(perMinute({ meta, data: [4] }, now, 3)).toEqual([0, 0, 0]);
});

it('is all zeros for a queue that never ended a job', () => {
  const meta = { count: 0, prevCount: 0, prevTS: 0 };
  expect(perMinute({ meta, data: [] }, now, 3)).toEqual([0, 0, 0]);
});

it('adds queues up', () => {
  expect(
    addUp(
      [
        [1, 2],
        [3, 4],
      ],
      2,
    ),
  ).toEqual([4, 6]);
});
