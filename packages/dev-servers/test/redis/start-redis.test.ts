import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { listen } from '../../src/listen.ts';
import { startRedis, type RedisOptions, type RunningRedis } from '../../src/redis/start-redis.ts';

test('answers on a free port of the loopback interface', async () => {
  const redis = await start();
  expect(await ask(redis.port, 'PING')).toBe('+PONG\r\n');
  expect(await ask(redis.port, 'CONFIG GET bind')).toContain('127.0.0.1');
});

test('refuses to evict keys, and keeps nothing unless it is given a folder', async () => {
  const redis = await start();
  expect(await ask(redis.port, 'CONFIG GET maxmemory-policy')).toContain('noeviction');
  expect(await ask(redis.port, 'CONFIG GET appendonly')).toContain('no');
  expect(await ask(redis.port, 'CONFIG GET save')).toBe('*2\r\n$4\r\nsave\r\n$0\r\n\r\n');
});

test('runs several at a time', async () => {
  const all = await Promise.all([start(), start(), start()]);
  expect(new Set(all.map((redis) => redis.port)).size).toBe(3);
});

test('keeps what was written when it is given a folder', async () => {
  const dataDir = await temporaryFolder();
  const first = await start({ dataDir });
  await ask(first.port, 'SET kept yes');
  await first.close();
  const second = await start({ dataDir });
  expect(await ask(second.port, 'GET kept')).toBe('$3\r\nyes\r\n');
  expect(await ask(second.port, 'CONFIG GET appendfsync')).toContain('everysec');
});

test('names the port that is taken, and what to do', async () => {
  const other = createServer();
  const port = await listen(other, 0, 'a test');
  onTestFinished(() => void other.close());
  await expect(startRedis({ port })).rejects.toThrow(`Port ${port} is taken`);
});

test('is gone after close', async () => {
  const redis = await start();
  await redis.close();
  expect(() => process.kill(redis.pid, 0)).toThrow('ESRCH');
});

test('ends when the process that started it is killed', async () => {
  const script = `
    const { startRedis } = await import(${JSON.stringify(new URL('../../src/redis/start-redis.ts', import.meta.url).href)});
    console.log((await startRedis()).pid);
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line]: unknown[] = await once(parent.stdout, 'data');
  const pid = Number(String(line));
  expect(process.kill(pid, 0)).toBe(true);
  parent.kill('SIGKILL');
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'), 10_000);
});

async function start(options?: RedisOptions): Promise<RunningRedis> {
  const redis = await startRedis(options);
  onTestFinished(() => redis.close());
  return redis;
}

async function ask(port: number, command: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`${command}\r\n`);
  const [reply]: unknown[] = await once(socket, 'data');
  socket.destroy();
  return String(reply);
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
