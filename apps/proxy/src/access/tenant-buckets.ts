import { TokenBucket, type RateLimit } from './token-bucket.ts';

/** From so many on, those that are full again are forgotten: a new one would be full as well. */
const many = 1_000;

/** A bucket for each tenant, in this process alone. */
export class TenantBuckets {
  readonly #limit: RateLimit;
  readonly #now: () => number;
  readonly #buckets = new Map<string, { bucket: TokenBucket; fullAt: number }>();
  #forgetAt = many;

  constructor(limit: RateLimit, now: () => number) {
    this.#limit = limit;
    this.#now = now;
  }

  /** Lets one pass, and returns 0; else the milliseconds until one may. */
  take(tenantId: string): number {
    const at = this.#now();
    const kept = this.#buckets.get(tenantId) ?? { bucket: new TokenBucket(this.#limit, at), fullAt: at };
    const { perSecond, burst } = this.#limit;
    // At the latest.
    kept.fullAt = at + (burst / perSecond) * 1_000;
    this.#buckets.set(tenantId, kept);
    if (this.#buckets.size > this.#forgetAt) this.#forget(at);
    return kept.bucket.take(at);
  }

  #forget(now: number): void {
    for (const [tenantId, { fullAt }] of this.#buckets) if (fullAt <= now) this.#buckets.delete(tenantId);
    this.#forgetAt = Math.max(many, this.#buckets.size * 2);
  }
}
