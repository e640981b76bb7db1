import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedisServer } from '@connectors/dev-servers';
import { Redis } from 'ioredis';
import { repository } from './deployables.ts';

const passwords = { proxy: 'password-of-the-proxy', worker: 'password-of-the-worker', health: 'any' };

type User = keyof typeof passwords;

export interface DeployedRedis {
  /** A connection as one of the users of users.acl, or as nobody; closed with Redis. */
  connect(user?: User, password?: string): Promise<Redis>;
  close(): Promise<void>;
}

/** Runs the script that the deployables run, on a socket in a folder of its own, with whatever Redis there is here. */
export async function startRedisAsDeployed(): Promise<DeployedRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-'));
  await putOnPath(folder);
  const socket = join(folder, 'redis.sock');
  const script = join(repository, 'k8s/redis/start-redis.sh');
  const server = spawn('sh', [script, '--port', '0', '--unixsocket', socket], {
    env: {
      PATH: `${folder}:${process.env['PATH']}`,
      DATA_DIR: folder,
      ACL_FILE: join(folder, 'users.acl'),
      REDIS_PROXY_PASSWORD: passwords.proxy,
      REDIS_WORKER_PASSWORD: passwords.worker,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(server, 'exit');
  await untilReady(server.stdout);

  const connections: Redis[] = [];
  return {
    async connect(username, password = username && passwords[username]) {
      const redis = new Redis({
        path: socket,
        ...(username === undefined || password === undefined ? {} : { username, password }),
        enableReadyCheck: username !== 'health',
        maxRetriesPerRequest: null,
        retryStrategy: () => null,
        lazyConnect: true,
      });
      redis.on('error', () => undefined);
      connections.push(redis);
      await redis.connect();
      return redis;
    },
    async close() {
      for (const connection of connections) connection.disconnect();
      server.kill();
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

async function putOnPath(folder: string): Promise<void> {
  const { command, args } = await findRedisServer();
  const shim = join(folder, 'redis-server');
  const words = [command, ...args].map((word) => `'${word}'`).join(' ');
  await writeFile(shim, `#!/bin/sh\nPATH=\${PATH#*:}\nexec ${words} "$@"\n`);
  await chmod(shim, 0o755);
}

async function untilReady(output: NodeJS.ReadableStream): Promise<void> {
  let log = '';
  await new Promise<void>((resolve, reject) => {
    output.on('data', (chunk) => {
      log += String(chunk);
      if (log.includes('eady to accept connections')) resolve();
    });
    output.on('end', () => reject(new Error(`Redis ended at start: ${log}`)));
  });
}
