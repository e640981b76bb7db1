import { orQueueUnavailable } from '@connectors/vault-core';
import type { Redis } from 'ioredis';

/** Seconds: longer than a link and the session that it opens live together. */
const remembered = 10 * 3600;

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

  async note(tenantId: string): Promise<void> {
    await orQueueUnavailable(this.#redis.set(this.#key(tenantId), await this.now(), 'EX', remembered));
  }

  /** Whether the tenant was offboarded after that time. */
  async isSince(tenantId: string, time: number): Promise<boolean> {
    const at = await orQueueUnavailable(this.#redis.get(this.#key(tenantId)));
    return at !== null && Number(at) >= time;
  }

  #key(tenantId: string): string {
    return `${this.#prefix}:offboarded:${tenantId}`;
  }
}
