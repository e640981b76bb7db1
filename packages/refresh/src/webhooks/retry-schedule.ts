import { RetryAfterError } from '../jobs/backoff.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** How long to wait after each failure, in milliseconds: as Standard Webhooks suggest, for a day and some hours in all. */
const waits = [5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 10 * hour];

/** The first, and one after each wait. */
export const deliveryAttempts = waits.length + 1;

/**
 * How long to wait after the nth failure, in milliseconds; longer if the receiver asked for it (Retry-After). Up to a fifth is
 * jitter: what failed together, because a receiver was away, must not come back together.
 */
export function deliveryRetryMs(failures: number, error: Error | undefined, random = Math.random()): number {
  const wait = waits[Math.min(failures, waits.length) - 1] ?? 0;
  const asked = error instanceof RetryAfterError ? error.waitMs : 0;
  return Math.max(Math.round(wait * (1 + random / 5)), asked);
}
