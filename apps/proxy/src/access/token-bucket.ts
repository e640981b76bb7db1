export interface RateLimit {
  perSecond: number;
  /** How many may pass at once. */
  burst: number;
}

/** Rounding must not make somebody wait who came back exactly when told. */
const almostOne = 1 - 1e-6;

/** Lets so many pass in a second. What others took of the same limit may put it into debt. */
export class TokenBucket {
  readonly #limit: RateLimit;
  #level: number;
  #at: number;

  constructor(limit: RateLimit, now: number) {
    this.#limit = limit;
    this.#level = limit.burst;
    this.#at = now;
  }

  /** Lets one pass, and returns 0; else the milliseconds until one may. */
  take(now: number): number {
    this.#refill(now);
    if (this.#level < almostOne) return ((1 - this.#level) / this.#limit.perSecond) * 1_000;
    this.#level -= 1;
    return 0;
  }

  /** Others let so many pass. */
  debit(count: number, now: number): void {
    this.#refill(now);
    this.#level -= count;
  }

  #refill(now: number): void {
    const elapsedMs = Math.max(0, now - this.#at);
    this.#level = Math.min(this.#limit.burst, this.#level + (elapsedMs / 1_000) * this.#limit.perSecond);
    this.#at = now;
  }
}
