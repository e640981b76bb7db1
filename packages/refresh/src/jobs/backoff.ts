import type { ErrorCode } from '@connectors/vault-core';

const firstMs = 2_000;
const maxMs = 60 * 60_000;

/** Vault or Redis was away, and nobody has been asked for anything: when they are back, all that is overdue is to be done soon. */
const outages: ReadonlySet<string> = new Set<ErrorCode>(['vault_unavailable', 'queue_unavailable']);
const maxOutageMs = 15_000;

/**
 * How long to wait after the nth failure in a row, in milliseconds: doubling from 2 s to an hour, and then every hour
 * for as long as the refresh token may live. Half of it is jitter, so that what failed together is not retried together.
 *
 * @param random from 0 to 1
 */
export function backoffMs(failures: number, random: number, longestMs = maxMs): number {
  const ceiling = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(ceiling * (0.5 + random / 2));
}

/** A failure that names how long to wait at least, in milliseconds: the provider asked for it. */
export class RetryAfterError extends Error {
  readonly waitMs: number;

  constructor(reason: string, waitMs: number) {
    super(reason);
    this.waitMs = waitMs;
  }
}

/** How long a failed job waits before its next try, in milliseconds. */
export function retryDelayMs(failures: number, error: Error | undefined, random = Math.random()): number {
  const asked = error instanceof RetryAfterError ? error.waitMs : 0;
  const longestMs = outages.has(error?.message ?? '') ? maxOutageMs : maxMs;
  return Math.max(backoffMs(failures, random, longestMs), asked);
}
