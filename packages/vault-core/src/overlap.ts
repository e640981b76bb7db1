/** Rotated again and again within an overlap, nothing has more secrets than this: the oldest end. */
export const maxOverlapping = 4;

interface Ending {
  /** Absent: of the newest. */
  expiresAt?: string | undefined;
}

/**
 * The secrets after a rotation, the newest first. Those before stay good until `end`, or for what is left to them: a rotation whose
 * answer was lost may be made again, and the secret in use goes on.
 */
export function rotateIn<S extends Ending>(newest: S, before: readonly S[], end: number, now: number): S[] {
  const overlapping = before
    .map((secret) => ({
      secret,
      ends: secret.expiresAt === undefined ? end : Math.min(end, Date.parse(secret.expiresAt)),
    }))
    .filter(({ ends }) => now < ends)
    .map(({ secret, ends }) => ({ ...secret, expiresAt: new Date(ends).toISOString() }));
  return [newest, ...overlapping].slice(0, maxOverlapping);
}
