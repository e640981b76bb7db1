import type { connectRedis } from '@connectors/vault-core';
import type { CountTogether } from './tenant-rates.ts';

/** Longer than a tenant is counted that sends nothing. */
const lifetimeMs = 60_000;

/** Counts requests of tenants in Redis, with one call for all of them. The keys hold a number, and expire by themselves. */
export function countInRedis(redis: ReturnType<typeof connectRedis>, prefix: string): CountTogether {
  return async (counts) => {
    const pipeline = redis.pipeline();
    for (const [tenantId, count] of counts) {
      const key = `${prefix}:rate:${tenantId}`;
      pipeline.incrby(key, count).pexpire(key, lifetimeMs);
    }
    const answers = (await pipeline.exec()) ?? [];
    const failed = answers.find(([error]) => error !== null);
    if (failed !== undefined || answers.length === 0) throw new Error('Redis does not count');
    return new Map([...counts.keys()].map((tenantId, index) => [tenantId, Number(answers[index * 2]?.[1])]));
  };
}
