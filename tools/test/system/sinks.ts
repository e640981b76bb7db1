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

/** Which secrets stand in which sinks; also percent-encoded, and as base64, alone or inside a longer text. */
export function leaks(secrets: ReadonlyMap<string, string>, sinks: Sink[]): string[] {
  return [...secrets].flatMap(([kind, secret]) => {
    const forms = [secret, encodeURIComponent(secret), ...base64Forms(secret)];
    return sinks
      .filter(({ content }) => forms.some((form) => content.includes(form)))
      .map(({ name }) => `${kind} in ${name}`);
  });
}

/**
 * The secret inside any text that was written as base64, ordinary or for URLs: base64 writes three bytes as
 * four characters, so it depends on where in such a group the secret begins. Characters that also hold bits
 * of its neighbours are left out.
 */
function base64Forms(secret: string): string[] {
  return [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
    const from = Math.ceil((before * 4) / 3);
    const to = Math.floor((bytes.length * 4) / 3);
    return [bytes.toString('base64').slice(from, to), bytes.toString('base64url').slice(from, to)];
  });
}
