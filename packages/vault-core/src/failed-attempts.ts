interface Bucket {
  /** Attempts left at `at`. */
  left: number;
  at: number;
}

export interface FailedAttemptsOptions {
  /** So many may fail one after the other. */
  burst: number;
  /** Milliseconds after which one more may. */
  everyMs: number;
  now: () => number;
}

/** Far more than ever fail at the same time; counting cannot stop anybody who has more addresses than this. */
const maxAddresses = 10_000;

/**
 * Counts attempts to authenticate that failed, by client address. Behind a load balancer all clients share one: what was
 * found to be good is never to be refused because of others.
 */
export class FailedAttempts {
  readonly #options: FailedAttemptsOptions;
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: FailedAttemptsOptions) {
    this.#options = options;
  }

  /** How long an address has to wait before its next attempt, in milliseconds; 0 if it need not. */
  waitMs(address: string): number {
    const left = this.#left(address);
    return left >= 1 ? 0 : Math.ceil((1 - left) * this.#options.everyMs);
  }

  add(address: string): void {
    const left = Math.max(0, this.#left(address) - 1);
    this.#buckets.delete(address);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size >= maxAddresses && oldest !== undefined) this.#buckets.delete(oldest);
    this.#buckets.set(address, { left, at: this.#options.now() });
  }

  #left(address: string): number {
    const { burst, everyMs, now } = this.#options;
    const bucket = this.#buckets.get(address);
    if (bucket === undefined) return burst;
    return Math.min(burst, bucket.left + Math.max(0, now() - bucket.at) / everyMs);
  }
}
