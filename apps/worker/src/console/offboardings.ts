import { newDocumentId, orQueueUnavailable } from '@connectors/vault-core';
import type { Redis } from 'ioredis';

/** Seconds: longer than a link and the session that it opens live together. */
const remembered = 10 * 3600;

/** Seconds: longer than an offboarding takes. One whose worker died is under way until then. */
const longest = 300;

/**
 * Which tenants were offboarded lately. Links, sessions and flows from before are still out there, and must not bring the tenant
 * back. Times are on Redis's clock, which all workers share. Methods throw `queue_unavailable` without Redis.
 */
export class Offboardings {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  /** Milliseconds since the epoch. */
  async now(): Promise<number> {
    const [seconds = 0, microseconds = 0] = await orQueueUnavailable(this.#redis.time());
    return seconds * 1000 + Math.floor(microseconds / 1000);
  }

  /** @returns what names this offboarding among those of its tenant: it is under way until it is ended by that */
  async begin(tenantId: string): Promise<string> {
    const run = newDocumentId();
    const noting = this.#redis
      .multi()
      .set(this.#key(tenantId), await this.now(), 'EX', remembered)
      .sadd(this.#runsKey(tenantId), run)
      .expire(this.#runsKey(tenantId), longest);
    await orQueueUnavailable(noting.exec());
    return run;
  }

  async end(tenantId: string, run: string): Promise<void> {
    await orQueueUnavailable(this.#redis.srem(this.#runsKey(tenantId), run));
  }

  /** Whether the tenant was offboarded after that time, or is being offboarded. */
  async isSince(tenantId: string, time: number): Promise<boolean> {
    const [at, runs] = await orQueueUnavailable(
      Promise.all([this.#redis.get(this.#key(tenantId)), this.#redis.exists(this.#runsKey(tenantId))]),
    );
    return runs > 0 || (at !== null && Number(at) >= time);
  }

  #key(tenantId: string): string {
    return `${this.#prefix}:offboarded:${tenantId}`;
  }

  #runsKey(tenantId: string): string {
    return `${this.#prefix}:offboarding:${tenantId}`;
  }
}
