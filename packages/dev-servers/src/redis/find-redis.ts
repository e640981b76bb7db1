import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { programFromDebianPackage, type Launch } from '../debian-package.ts';

const execute = promisify(execFile);
/** The Redis of Debian and Ubuntu. */
export const redisServer = { package: 'redis-server', path: 'usr/bin/redis-server' };

const cache = fileURLToPath(
  new URL('../../../../node_modules/.cache/connectors/redis/unpacked', import.meta.url),
);

/**
 * Finds a real Redis to start: the `redis-server` on the PATH, else the one in the operating system's
 * package, which is unpacked (not installed) into node_modules/.cache.
 *
 * @param options.timeoutMs how long fetching may take in all, 3 minutes unless told
 * @param options.signal gives up at once
 * @throws {Error} that says what to do when no Redis can be had
 */
export async function findRedisServer(
  options: { onProgress?: (message: string) => void; timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<Launch> {
  if (await runs('redis-server')) return { command: 'redis-server', args: [] };
  const timeout = AbortSignal.timeout(options.timeoutMs ?? 180_000);
  try {
    return await programFromDebianPackage(redisServer, cache, {
      signal: options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]),
      onProgress: options.onProgress ?? (() => {}),
    });
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw new Error(
      'Redis cannot be had here: there is no redis-server on the PATH, and it could not be taken from a Debian ' +
        'or Ubuntu package. Install redis-server (macOS: `brew install redis`), or set REDIS_URL to a running Redis.',
      { cause },
    );
  }
}

async function runs(command: string): Promise<boolean> {
  return execute(command, ['--version'], { timeout: 10_000 }).then(
    () => true,
    () => false,
  );
}
