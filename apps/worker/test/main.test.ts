import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startRedis } from '@connectors/dev-servers';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { launch, startProcess } from './start-process.ts';
import { startWorld, type World } from './start-world.ts';

// Processes take their time to start on a machine that is busy.
vi.setConfig({ testTimeout: 60_000 });

/** Neither Vault nor Redis is there. */
const alone = {
  VAULT_ADDR: 'http://127.0.0.1:1',
  VAULT_TOKEN: 'none',
  REDIS_URL: 'redis://127.0.0.1:1',
  CONSOLE: 'off',
  CONSOLE_PORT: '0',
};

describe('at its start, a worker', () => {
  it('says everything that is wrong with its configuration, and ends', async () => {
    const { stderr, exited } = launch({});
    expect(await exited).toEqual([1, null]);
    expect(await stderr).toMatch(/- VAULT_ADDR: is required\n- REDIS_URL: is required\n/);
  });

  it('names the port that is taken, and what to do', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const { stderr, exited } = launch({ ...alone, CONSOLE_PORT: String(port) });
    expect(await exited).toEqual([1, null]);
    expect(await stderr).toBe(
      `Port ${port} is taken, so the worker cannot listen on it: stop what runs there, or set CONSOLE_PORT.\n`,
    );
  });

  it('needs neither Vault nor Redis, and says that it is not ready', async () => {
    const { url } = await startProcess(alone);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { status: 'unavailable', vault: 'down', redis: 'down' },
    ]);
  });
});

describe('a worker with nothing to do', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('ends cleanly on %s, also without Redis', async (signal) => {
    const { child, exited } = await startProcess({ ...alone, SHUTDOWN_SECONDS: '15' });
    child.kill(signal);
    expect(await exited).toEqual([0, null]);
  });

  it('ends when the process that started it is gone', async () => {
    const { child, exited } = await startProcess(alone);
    child.disconnect();
    expect(await exited).toEqual([0, null]);
  });
});

describe('a worker that is told to end', () => {
  let world: World;
  let tenants = 0;

  beforeAll(async () => {
    world = await startWorld();
  });

  afterAll(() => world.close());

  beforeEach(() => world.clear());

  /** A worker that waits for a provider that has rotated the refresh token already. */
  async function startDuringRequest(env: Record<string, string> = {}) {
    const id = { tenantId: `tenant-${(tenants += 1)}`, integration: 'demo' };
    const job = await world.connect(id, { meets: { kind: 'hangAfterRotation' } });
    const worker = await startProcess({ ...world.env, ...env });
    await vi.waitFor(() => expect(world.refreshRequests()[0]?.status).toBe(200), 10_000);
    return { ...worker, job };
  }

  it('during a token request waits for the answer, and saves it', async () => {
    const { job, child, exited, lines } = await startDuringRequest();
    child.kill('SIGTERM');
    await vi.waitFor(() => expect(lines.map(({ msg }) => msg)).toContain('finishing what is in flight'));
    world.provider.faults.release();
    expect(await exited).toEqual([0, null]);
    expect((await world.stored(job)).metadata).toMatchObject({ refreshCount: 1, status: 'active' });
    await world.jobAs('completed', job);
  });

  it('takes no new job', async () => {
    const { child, exited, lines } = await startDuringRequest();
    child.kill('SIGTERM');
    await vi.waitFor(() => expect(lines.map(({ msg }) => msg)).toContain('finishing what is in flight'));
    const late = await world.connect({ tenantId: `tenant-${(tenants += 1)}`, integration: 'demo' });
    world.provider.faults.release();
    await exited;
    expect((await world.stored(late)).metadata.refreshCount).toBe(0);
  });

  it('without Redis still waits for the answer, and saves it', async () => {
    const redis = await startRedis();
    const id = { tenantId: `tenant-${(tenants += 1)}`, integration: 'demo' };
    const job = await world.connect(id, { isScheduled: false, meets: { kind: 'hangAfterRotation' } });
    const { url, child, exited, lines } = await startProcess({ ...world.env, REDIS_URL: redis.url });
    await vi.waitFor(() => expect(world.refreshRequests()[0]?.status).toBe(200), 10_000);
    await redis.close();
    await vi.waitFor(() =>
      expect(lines.map(({ msg }) => msg)).toContain('Redis does not answer as it should'),
    );
    child.kill('SIGTERM');
    await expect.poll(() => fetch(`${url}/healthz`).catch(() => 'refused')).toBe('refused');
    // It stays for as long as it takes, here until other users have connected.
    for (let more = 0; more < 5; more += 1) await world.connect({ ...id, tenantId: `other-${more}` });
    world.provider.faults.release();
    expect(await exited).toEqual([0, null]);
    expect((await world.stored(job)).metadata).toMatchObject({ refreshCount: 1, status: 'active' });
  });

  it('gives up after SHUTDOWN_SECONDS, and says so', async () => {
    const { child, exited, lines } = await startDuringRequest({ SHUTDOWN_SECONDS: '1' });
    child.kill('SIGTERM');
    expect(await exited).toEqual([1, null]);
    expect(lines.at(-1)?.msg).toBe('jobs are still running at the end of SHUTDOWN_SECONDS');
  });
});
