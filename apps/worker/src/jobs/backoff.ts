const firstMs = 2_000;
const maxMs = 10 * 60_000;

/**
 * How long to wait after the nth failure in a row, in milliseconds: doubling from 2 s to 10 minutes, and then on every 10
 * minutes for as long as the refresh token may live. Half of it is jitter, so that what failed together is not retried together.
 *
 * @param random from 0 to 1
 */
export function backoffMs(failures: number, random: number): number {
  const ceiling = Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(ceiling * (0.5 + random / 2));
}
