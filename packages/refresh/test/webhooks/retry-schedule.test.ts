import { describe, expect, it } from 'vitest';
import { RetryAfterError } from '../../src/jobs/backoff.ts';
import { deliveryAttempts, deliveryRetryMs } from '../../src/webhooks/retry-schedule.ts';

const hour = 3_600_000;
const all = (random: number) =>
  Array.from({ length: deliveryAttempts - 1 }, (_, index) => deliveryRetryMs(index + 1, undefined, random));

describe('the tries of a delivery', () => {
  it('come ever later', () => {
    expect(all(0)).toEqual([5_000, 300_000, hour / 2, 2 * hour, 5 * hour, 10 * hour, 10 * hour]);
  });

  it('go on for more than a day, and less than a day and a half', () => {
    const total = (random: number) => all(random).reduce((sum, wait) => sum + wait, 0);
    expect(total(0)).toBeGreaterThan(24 * hour);
    expect(total(1)).toBeLessThan(36 * hour);
  });

  it('are up to a fifth later than that, so that those that failed together come apart', () => {
    expect(all(1)).toEqual(all(0).map((wait) => wait * 1.2));
  });

  it('wait as long as the receiver asked for', () => {
    expect(deliveryRetryMs(1, new RetryAfterError('http_429', 90_000), 0)).toBe(90_000);
    expect(deliveryRetryMs(2, new RetryAfterError('http_429', 90_000), 0)).toBe(300_000);
  });
});
