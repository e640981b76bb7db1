import { Redis } from 'ioredis';
import { ConnectorsError } from './errors.ts';

/** What a connection is for decides how it behaves while Redis is away. */
export type RedisRole =
  /** Fails at once: somebody is waiting for the answer. */
  | 'request'
  /** Waits for Redis to come back: BullMQ workers and subscriptions. */
  | 'background';

/** Opens a connection. Errors go to `onError`; ioredis keeps reconnecting, at least every 2 s. */
export function connectRedis(url: string, role: RedisRole, onError: (error: Error) => void): Redis {
  const redis = new Redis(url, {
    retryStrategy: (times) => Math.min(times * 100, 2_000),
    ...(role === 'request'
      ? { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: 2_000 }
      : { maxRetriesPerRequest: null }),
  });
  redis.on('error', onError);
  return redis;
}

/** Ends a connection for good; commands that wait for Redis fail. */
export function endRedis(redis: Redis): void {
  // Told between two attempts to reconnect, ioredis would let them wait for ever.
  if (redis.status === 'reconnecting') redis.connect().catch(() => undefined);
  redis.disconnect();
}

/**
 * Tells a caller of an answer that did not come what that means.
 *
 * @throws ConnectorsError `queue_unavailable` in place of an error of Redis
 */
export async function orQueueUnavailable<T>(asking: Promise<T>): Promise<T> {
  try {
    return await asking;
  } catch (cause) {
    if (cause instanceof ConnectorsError) throw cause;
    throw new ConnectorsError('queue_unavailable', undefined, { retryAfterMs: 2_000, cause });
  }
}
