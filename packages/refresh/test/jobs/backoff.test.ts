import { describe, expect, it } from 'vitest';
import { backoffMs, RetryAfterError, retryDelayMs } from '../../src/jobs/backoff.ts';

describe('backoff', () => {
  it('doubles with every failure in a row', () => {
    expect([1, 2, 3, 4].map((failures) => backoffMs(failures, 1))).toEqual([2_000, 4_000, 8_000, 16_000]);
  });

  it('is never longer than an hour, however often a refresh has failed', () => {
    expect(backoffMs(1_000_000, 1)).toBe(3_600_000);
  });

  it('leaves half of the pause to chance', () => {
    expect(backoffMs(1, 0)).toBe(1_000);
    expect(backoffMs(1, 1)).toBe(2_000);
  });
});

describe('the delay of a retry', () => {
  it('is the backoff where nobody asks for more', () => {
    expect(retryDelayMs(3, new Error('http_503'), 1)).toBe(8_000);
    expect(retryDelayMs(3, new RetryAfterError('http_503', 1_000), 1)).toBe(8_000);
  });

  it('is short after an outage of our own Vault, however long that was', () => {
    expect(retryDelayMs(1_000_000, new RetryAfterError('vault_unavailable', 0), 1)).toBe(15_000);
  });

  it('is what the provider asks for where that is longer', () => {
    expect(retryDelayMs(3, new RetryAfterError('http_429', 9_000), 1)).toBe(9_000);
  });
});
