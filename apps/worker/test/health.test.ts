import { startRedis } from '@connectors/dev-servers';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { WorkerApp } from '../src/app.ts';
import { startInProcess, startWorld, type World } from './start-world.ts';

let world: World;
let worker: WorkerApp;

beforeAll(async () => {
  world = await startWorld();
  worker = await startInProcess(world.env);
});

afterAll(async () => {
  await worker.close();
  await world.close();
});

async function ready({ url }: WorkerApp) {
  const response = await fetch(`${url}/readyz`);
  return [response.status, await response.json()];
}

async function metrics({ url }: WorkerApp): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

describe('readiness', () => {
  it('is told while everything works', async () => {
    await expect.poll(() => ready(worker)).toEqual([200, { status: 'ok', vault: 'ok', redis: 'ok' }]);
    const text = await metrics(worker);
    expect(text).toContain('connectors_vault_up 1');
    expect(text).toContain('connectors_redis_up 1');
  });

  it('names Vault while that is sealed, and the process lives on', async () => {
    world.vaultServer.seal();
    expect(await ready(worker)).toEqual([503, { status: 'unavailable', vault: 'down', redis: 'ok' }]);
    expect(await metrics(worker)).toContain('connectors_vault_up 0');
    expect((await fetch(`${worker.url}/healthz`)).status).toBe(200);
    world.vaultServer.unseal();
    expect(await ready(worker)).toMatchObject([200, { vault: 'ok' }]);
  });

  it('names Redis while that is away, and then the number of jobs is not zero but unknown', async () => {
    const redis = await startRedis();
    const other = await startInProcess({ ...world.env, REDIS_URL: redis.url });
    onTestFinished(() => other.close());
    await expect.poll(() => metrics(other)).toContain('connectors_refresh_jobs{');
    await redis.close();
    const down = { status: 'unavailable', vault: 'ok', redis: 'down' };
    await expect.poll(() => ready(other)).toEqual([503, down]);
    const text = await metrics(other);
    expect(text).toContain('connectors_redis_up 0');
    expect(text).not.toContain('connectors_refresh_jobs{');
  });
});

describe('the figures', () => {
  let text: string;

  beforeAll(async () => {
    const body = { error: 'invalid_grant' };
    const good = await world.connect({ tenantId: 'acme', integration: 'demo' });
    await world.jobAs('completed', good);
    const bad = { tenantId: 'umbrella', integration: 'demo' };
    await world.jobAs('failed', await world.connect(bad, { meets: { kind: 'status', status: 400, body } }));
    text = await metrics(worker);
  });

  it('count refreshes by what became of them, with their times', () => {
    expect(text).toContain('connectors_refreshes_total{integration="demo",outcome="refreshed"} 1');
    expect(text).toContain('connectors_refreshes_total{integration="demo",outcome="needs_reauth"} 1');
    expect(text).toContain('connectors_refresh_duration_seconds_count{integration="demo"} 2');
    expect(text).toContain('connectors_refresh_remaining_life_seconds_count{integration="demo"} 1');
    expect(text).toMatch(/connectors_last_sweep_timestamp_seconds 1\d{9}/);
  });

  it('count jobs by state', () => {
    expect(text).toContain('connectors_refresh_jobs{integration="demo",state="delayed"} 1');
    expect(text).toContain('connectors_refresh_jobs{integration="demo",state="failed"} 1');
    expect(text).toContain('connectors_webhook_jobs{state="waiting"} 0');
  });

  it('name no tenant', () => {
    expect(text).not.toMatch(/acme|umbrella/);
  });
});
