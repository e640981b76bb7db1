/** How a pass goes through Vault: as fast as the workers can, or within a limit of calls per second. */
export type Speed = 'full' | 'trickle';

/** What decides about the next pass. */
export interface PassFacts {
  speed: Speed;
  /** Milliseconds since the epoch. */
  begunAt: number;
  /** The life of Redis in which it began. */
  life: string;
  tally: { tenants: number; failed: number };
}

/** What Redis knows of passes. */
export interface KnownPasses<Pass extends PassFacts = PassFacts> {
  /** Redis gets another one whenever it is started. */
  life: string;
  /** The last one that was completed; unknown when Redis was wiped. */
  last: Pass | undefined;
  /** The one under way. */
  current: Pass | undefined;
}

/**
 * Whether a pass is due, and how fast it has to be. Where Redis was wiped, or has been started since the last pass, any job
 * may be missing: that cannot wait. Nor can the tenants of a pass in which more than 1 % failed.
 */
export function passDue({ life, last }: KnownPasses, now: number, intervalMs: number): Speed | undefined {
  if (last?.life !== life) return 'full';
  // A clock that was ahead for a while must not end the sweeps.
  if (Math.abs(now - last.begunAt) < intervalMs) return undefined;
  return last.tally.failed * 100 > last.tally.tenants ? 'full' : 'trickle';
}

/** Whether the pass under way is worth nothing: what it has swept may be missing again, or it is slower than is needed now. */
export function isVoid({ life, last, current }: KnownPasses): boolean {
  if (current === undefined) return false;
  return current.life !== life || (current.speed === 'trickle' && last === undefined);
}
