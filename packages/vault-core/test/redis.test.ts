import { startRedis, type RunningRedis } from '@connectors/dev-servers';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { connectRedis, endRedis, type RedisRole } from '../src/index.ts';

let server: RunningRedis;

beforeEach(async () => {
  server = await startRedis();
});

afterEach(() => server.close());

function connect(role: RedisRole, onError: (error: Error) => void = () => undefined): Redis {
  const redis = connectRedis(server.url, role, onError);
  onTestFinished(() => redis.disconnect());
  return redis;
}

async function connected(role: RedisRole): Promise<Redis> {
  const redis = connect(role);
  await expect.poll(() => redis.status).toBe('ready');
  return redis;
}

/** Redis on the port where the one before was. */
async function restart(): Promise<void> {
  server = await startRedis({ port: server.port });
}

describe('a connection for requests', () => {
  it('fails at once while Redis is away', async () => {
    const redis = await connected('request');
    await server.close();
    await expect.poll(() => redis.status).not.toBe('ready');
    const started = performance.now();
    await expect(redis.ping()).rejects.toThrow(/enableOfflineQueue|Connection is closed/);
    expect(performance.now() - started).toBeLessThan(500);
  });

  it('fails what was under way when Redis went away', async () => {
    const redis = await connected('request');
    process.kill(server.pid, 'SIGSTOP');
    const asked = redis.ping();
    process.kill(server.pid, 'SIGKILL');
    await expect(asked).rejects.toThrow(/Connection is closed|max retries/);
  });

  it('fails within seconds when Redis hangs', async () => {
    const redis = await connected('request');
    process.kill(server.pid, 'SIGSTOP');
    const started = performance.now();
    const failure = await redis.ping().catch((error: unknown) => error);
    process.kill(server.pid, 'SIGCONT');
    expect(failure).toMatchObject({ message: 'Command timed out' });
    expect(performance.now() - started).toBeLessThan(4_000);
  });

  it('works again when Redis is back', async () => {
    const redis = await connected('request');
    await server.close();
    await restart();
    await expect.poll(() => redis.ping().catch(() => 'away'), { timeout: 10_000 }).toBe('PONG');
  });
});

describe('a connection for background work', () => {
  it('waits for Redis to come back', async () => {
    const redis = await connected('background');
    await server.close();
    await expect.poll(() => redis.status).not.toBe('ready');
    const asked = redis.ping();
    await restart();
    expect(await asked).toBe('PONG');
  });

  it('waits for a Redis that is not there yet', async () => {
    await server.close();
    const redis = connect('background');
    const asked = redis.ping();
    await restart();
    expect(await asked).toBe('PONG');
  });
});

it('tells of its errors, and goes on', async () => {
  const errors: Error[] = [];
  await server.close();
  connect('background', (error) => errors.push(error));
  await expect.poll(() => errors.length, { timeout: 5_000 }).toBeGreaterThan(1);
  await restart();
});

describe('a connection that is ended', () => {
  it.each(['connecting', 'reconnecting'])('fails what waits for Redis, while it is %s', async (status) => {
    const redis = await connected('background');
    const isSo = new Promise((resolve) => redis.once(status, resolve));
    await server.close();
    await isSo;
    const asked = redis.ping();
    endRedis(redis);
    await expect(asked).rejects.toThrow('Connection is closed');
    await expect.poll(() => redis.status).toBe('end');
  });

  it('is closed', async () => {
    const redis = await connected('background');
    endRedis(redis);
    await expect.poll(() => redis.status).toBe('end');
  });
});
