import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Redis } from 'ioredis';

/** Where something was written, and what. */
export interface Sink {
  name: string;
  content: string;
}

/** Every file below a folder, as bytes. */
export function filesBelow(folder: string, top = folder): Sink[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return filesBelow(path, top);
    return [{ name: relative(top, path), content: readFileSync(path, 'latin1') }];
  });
}

/** Every key of a Redis with its value, whatever its type. */
export async function keysOf(redis: Redis): Promise<Sink[]> {
  const sinks: Sink[] = [];
  for (const key of await redis.keys('*'))
    sinks.push({ name: `redis ${key}`, content: `${key} ${JSON.stringify(await valueOf(redis, key))}` });
  return sinks;
}

async function valueOf(redis: Redis, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'string':
      return redis.get(key);
    case 'hash':
      return redis.hgetall(key);
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, '0', '-1');
    case 'stream':
      return redis.xrange(key, '-', '+');
    default:
      // It expired between the two calls.
      return undefined;
  }
}

/** Which secrets stand in which sinks; also as base64, the form in which they travel to Vault, and percent-encoded. */
export function leaks(secrets: ReadonlyMap<string, string>, sinks: Sink[]): string[] {
  return [...secrets].flatMap(([kind, secret]) => {
    const forms = [
      secret,
      Buffer.from(secret).toString('base64').replace(/=+$/, ''),
      encodeURIComponent(secret),
    ];
    return sinks
      .filter(({ content }) => forms.some((form) => content.includes(form)))
      .map(({ name }) => `${kind} in ${name}`);
  });
}
