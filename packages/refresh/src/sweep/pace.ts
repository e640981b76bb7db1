/** Spreads calls evenly over time. What was not used is lost: there is no catching up. */
export class VaultPace {
  readonly callsPerSecond: number;
  readonly #now: () => number;
  #free = 0;

  /** @param now a clock that nobody sets, in milliseconds */
  constructor(callsPerSecond: number, now: () => number) {
    this.callsPerSecond = callsPerSecond;
    this.#now = now;
  }

  /** Books so many calls, and answers in how many milliseconds they may be made. */
  book(calls: number): number {
    const at = Math.max(this.#now(), this.#free);
    this.#free = at + (calls * 1000) / this.callsPerSecond;
    return at - this.#now();
  }
}

const maxBatch = 100;

/** How many calls a tenant costs, judged by those before: two where each has one integration. */
export function callsPerTenant({ calls, tenants }: { calls: number; tenants: number }): number {
  return tenants === 0 ? 2 : Math.max(1, calls / tenants);
}

/** How many tenants are handed to the workers at once: when it trickles, what a fifth of a second allows. */
export function batchSize(callsPerSecond: number, callsEach: number): number {
  return Math.max(1, Math.min(maxBatch, Math.floor(callsPerSecond / callsEach / 5)));
}
