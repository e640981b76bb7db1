import { TokenBucket, type RateLimit } from './token-bucket.ts';

/**
 * Adds to counts that all replicas share, by tenant.
 *
 * @returns the sums, for the same tenants
 */
export type CountTogether = (counts: ReadonlyMap<string, number>) => Promise<ReadonlyMap<string, number>>;

interface TenantRate {
  bucket: TokenBucket;
  usedAt: number;
  /** Let pass here, and not reported yet. */
  taken: number;
  /** The shared count when it was last seen; absent while it is not known. */
  total: number | undefined;
}

/** After so many milliseconds without a request a tenant is counted no more. */
const idleMs = 10_000;

export interface TenantRatesOptions {
  limit: RateLimit;
  countTogether: CountTogether;
  now: () => number;
}

/**
 * The rate of each tenant's requests, over all replicas. A request is judged by a bucket in memory; what the other
 * replicas let pass is learned behind the requests and put into that bucket as a debt. So the limit holds on the average, and is exceeded for as
 * long as an interval between two reports. While nobody counts together, each replica's bucket is on its own.
 */
export class TenantRates {
  readonly #options: TenantRatesOptions;
  readonly #tenants = new Map<string, TenantRate>();
  #isReporting = false;

  constructor(options: TenantRatesOptions) {
    this.#options = options;
  }

  /** Lets a request of a tenant pass, and returns 0; else the milliseconds until one may. */
  take(tenantId: string): number {
    const { limit, now } = this.#options;
    const at = now();
    let rate = this.#tenants.get(tenantId);
    if (rate === undefined) {
      rate = { bucket: new TokenBucket(limit, at), usedAt: at, taken: 0, total: undefined };
      this.#tenants.set(tenantId, rate);
    }
    rate.usedAt = at;
    const waitMs = rate.bucket.take(at);
    if (waitMs === 0) rate.taken += 1;
    return waitMs;
  }

  /** Tells the others what passed here, and learns what passed there. Called every so often; never waited for. */
  async report(): Promise<void> {
    this.#forgetFull();
    if (this.#isReporting) return;
    const reported = this.#active();
    if (reported.length === 0) return;
    this.#isReporting = true;
    const counts = new Map(reported.map(([tenantId, { taken }]) => [tenantId, taken]));
    for (const [, rate] of reported) rate.taken = 0;
    try {
      const totals = await this.#options.countTogether(counts);
      for (const [tenantId, rate] of reported) this.#learn(rate, counts.get(tenantId), totals.get(tenantId));
    } catch {
      // Whether the counts arrived is not known: begin anew.
      for (const [, rate] of reported) rate.total = undefined;
    } finally {
      this.#isReporting = false;
    }
  }

  #learn(rate: TenantRate, own = 0, total = 0): void {
    const others = rate.total === undefined ? 0 : total - rate.total - own;
    // Below it the count has begun anew.
    if (others > 0) rate.bucket.debit(others, this.#options.now());
    rate.total = total;
  }

  #active(): [string, TenantRate][] {
    const horizon = this.#options.now() - idleMs;
    const active: [string, TenantRate][] = [];
    for (const entry of this.#tenants) {
      if (entry[1].usedAt > horizon) active.push(entry);
      // The shared count expires.
      else entry[1].total = undefined;
    }
    return active;
  }

  /** A bucket that is not full yet is kept: else a pause would fill it. */
  #forgetFull(): void {
    const { limit, now } = this.#options;
    const horizon = now() - Math.max(idleMs, (limit.burst / limit.perSecond) * 1_000);
    for (const [tenantId, { usedAt }] of this.#tenants) if (usedAt <= horizon) this.#tenants.delete(tenantId);
  }
}
