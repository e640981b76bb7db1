import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { listen } from '../listen.ts';
import type { Launch } from '../debian-package.ts';
import { findRedisServer } from './find-redis.ts';
import { endWithParent } from './lifeline.ts';

export interface RedisOptions {
  /** 0, the default, picks a free one. */
  port?: number;
  /** Where the append-only file lives; without it nothing is kept. */
  dataDir?: string;
  onProgress?: (message: string) => void;
  /** Gives up the start, and leaves nothing running. */
  signal?: AbortSignal;
}

export interface RunningRedis {
  url: string;
  port: number;
  pid: number;
  /** Resolves when it has ended, however that came about, with how. */
  ended: Promise<string>;
  /** Ends Redis after it has written what it holds. */
  close(): Promise<void>;
}

class PortTakenError extends Error {}

/**
 * Starts a Redis on 127.0.0.1 that ends when this process ends, however that happens, and returns
 * when it answers.
 *
 * @throws {Error} when there is no Redis, the port is taken, or the start is aborted
 */
export async function startRedis(options: RedisOptions = {}): Promise<RunningRedis> {
  const launch = await findRedisServer(options);
  if (options.dataDir) await mkdir(options.dataDir, { recursive: true });
  if (options.port) return await launchRedis(launch, options.port, options);
  for (let attempt = 1; ; attempt++) {
    try {
      return await launchRedis(launch, await freePort(), options);
    } catch (error) {
      // Somebody took the free port before Redis did.
      if (!(error instanceof PortTakenError) || attempt === 5) throw error;
    }
  }
}

async function launchRedis(
  launch: Launch,
  port: number,
  { dataDir, signal }: RedisOptions,
): Promise<RunningRedis> {
  signal?.throwIfAborted();
  const child = spawn(launch.command, [...launch.args, ...settings(port, dataDir)], {
    cwd: dataDir ?? tmpdir(),
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C reaches every process of the terminal's group: Redis is to outlive those who still write to it.
    detached: true,
  });
  endWithParent(child);
  const ended = new Promise<string>((resolve) =>
    child.once('exit', (code, killedBy) => resolve(killedBy ?? `exit code ${code}`)),
  );
  const abort = (): void => void child.kill();
  signal?.addEventListener('abort', abort);
  try {
    await listening(child, port);
    await answers(child, port);
  } catch (error) {
    await end(child);
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  return { url: `redis://127.0.0.1:${port}`, port, pid: child.pid!, ended, close: () => end(child) };
}

function settings(port: number, dataDir: string | undefined): string[] {
  const persistence = dataDir
    ? ['--dir', dataDir, '--appendonly', 'yes', '--appendfsync', 'everysec']
    : ['--appendonly', 'no'];
  return [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--maxmemory-policy',
    'noeviction',
    '--save',
    '',
  ].concat(persistence);
}

/** Waits for Redis's own word that it owns the port: another Redis might answer there. */
async function listening(child: ChildProcess, port: number): Promise<void> {
  const output = await new Promise<string>((resolve, reject) => {
    let text = '';
    const read = (chunk: Buffer): void => {
      if (text.includes('Ready to accept connections')) return;
      text += chunk.toString();
      if (text.includes('Ready to accept connections')) resolve(text);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('error', reject);
    child.once('close', () => resolve(text));
  });
  if (!hasEnded(child)) return;
  if (output.includes('Address already in use')) {
    throw new PortTakenError(
      `Port ${port} is taken, so Redis cannot listen on it: stop what runs there, or choose another port.`,
    );
  }
  throw new Error(`Redis ended at start: ${output.trim().split('\n').slice(-3).join('\n')}`);
}

async function answers(child: ChildProcess, port: number): Promise<void> {
  for (let attempt = 1; !(await ping(port)); attempt++) {
    if (hasEnded(child)) throw new Error('Redis ended at start');
    if (attempt === 100) throw new Error(`Redis on port ${port} does not answer PING`);
    await delay(50);
  }
}

async function ping(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port, timeout: 1000 });
  socket.on('timeout', () => socket.destroy(new Error('timeout')));
  try {
    socket.write('PING\r\n');
    const [reply]: unknown[] = await once(socket, 'data');
    return String(reply).startsWith('+PONG');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || hasEnded(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const impatience = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await exited;
  clearTimeout(impatience);
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server, 0, 'Redis');
  server.close();
  await once(server, 'close');
  return port;
}
