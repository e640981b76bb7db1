import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../src/jobs/backoff.ts';

describe('backoff', () => {
  it('doubles with every failure in a row', () => {
    expect([1, 2, 3, 4].map((failures) => backoffMs(failures, 1))).toEqual([2_000, 4_000, 8_000, 16_000]);
  });

  it('is never longer than 10 minutes, however often a refresh has failed', () => {
    expect(backoffMs(1_000_000, 1)).toBe(600_000);
  });

  it('leaves half of the pause to chance', () => {
    expect(backoffMs(1, 0)).toBe(1_000);
    expect(backoffMs(1, 1)).toBe(2_000);
  });
});
