import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { programFromDebianPackage } from '../src/debian-package.ts';
import { redisServer } from '../src/redis/find-redis.ts';

const [aptIsHere, redisIsHere] = ['apt-get', 'redis-server'].map(
  (command) => spawnSync(command, ['--version']).status === 0,
);

test.runIf(aptIsHere && !redisIsHere)(
  'takes Redis out of the Debian package once, also when several ask at a time (needs apt and its mirror)',
  async () => {
    const base = await mkdtemp(join(tmpdir(), 'redis-package-'));
    onTestFinished(() => rm(base, { recursive: true, force: true }));
    const said: string[] = [];
    const effort = {
      signal: AbortSignal.timeout(60_000),
      onProgress: (message: string) => void said.push(message),
    };
    const folder = join(base, 'unpacked');

    const [first] = await Promise.all([
      programFromDebianPackage(redisServer, folder, effort),
      programFromDebianPackage(redisServer, folder, effort),
    ]);
    expect(execFileSync(first.command, [...first.args, '--version'], { encoding: 'utf8' })).toMatch(
      /^Redis server v=/,
    );
    expect(await readdir(base)).toEqual(['unpacked']);

    const saidSoFar = said.length;
    expect(saidSoFar).toBeGreaterThan(0);
    await programFromDebianPackage(redisServer, folder, effort);
    expect(said).toHaveLength(saidSoFar);
  },
  90_000,
);

test('gives up when its time is over, and leaves nothing behind', async () => {
  const base = await mkdtemp(join(tmpdir(), 'redis-package-'));
  onTestFinished(() => rm(base, { recursive: true, force: true }));
  const effort = { signal: AbortSignal.abort(), onProgress: () => {} };
  await expect(programFromDebianPackage(redisServer, join(base, 'unpacked'), effort)).rejects.toThrow(
    'abort',
  );
  expect(await readdir(base)).toEqual([]);
});
