import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { integration, startFleet, type Fleet } from '../../fleet/start-fleet.ts';

const dir = mkdtempSync(join(tmpdir(), 'fleet-'));
const adminToken = randomBytes(24).toString('base64url');
let fleet: Fleet;

beforeAll(async () => {
  const workerEnv = { CONSOLE: 'on', ADMIN_TOKEN: adminToken };
  fleet = await startFleet(dir, { workers: 1, proxies: 2, workerEnv });
  await fleet.connect('acme');
});

afterAll(async () => {
  await fleet.close();
  rmSync(dir, { recursive: true });
});

async function callAdmin(method: string, path: string, body?: object) {
  const answer = await fetch(`${fleet.workers[0]?.url}/admin/agents${path}`, {
    method,
    headers: {
      authorization: `Bearer ${adminToken}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(answer.ok).toBe(true);
  return method === 'DELETE' ? { id: '', key: '' } : ((await answer.json()) as { id: string; key: string });
}

/** What each proxy answers to a key. */
function statuses(key: string): Promise<number[]> {
  const headers = { authorization: `Bearer ${key}` };
  const urls = fleet.proxies.map(({ url }) => `${url}/proxy/${integration}/`);
  return Promise.all(urls.map(async (url) => (await fetch(url, { headers })).status));
}

/** An agent that both proxies know. */
async function createKnown() {
  const grants = [{ tenants: ['acme'] }];
  const agent = await callAdmin('POST', '', { name: 'a bot', grants });
  expect(await statuses(agent.key)).toEqual([200, 200]);
  return agent;
}

describe('every proxy refuses within a second', () => {
  it('an agent that was revoked', async () => {
    const { id, key } = await createKnown();
    await callAdmin('DELETE', `/${id}`);
    await expect.poll(() => statuses(key), { timeout: 1_000, interval: 20 }).toEqual([401, 401]);
  });

  it('a key that was replaced without an overlap', async () => {
    const { id, key } = await createKnown();
    const rotated = await callAdmin('POST', `/${id}/rotate`, { overlapSeconds: 0 });
    await expect.poll(() => statuses(key), { timeout: 1_000, interval: 20 }).toEqual([401, 401]);
    expect(await statuses(rotated.key)).toEqual([200, 200]);
  });

  it('what an agent lost its grant for', async () => {
    const { id, key } = await createKnown();
    await callAdmin('PATCH', `/${id}`, { grants: [{ tenants: ['umbrella'] }] });
    const headers = { authorization: `Bearer ${key}`, 'x-tenant-id': 'acme' };
    const ask = () =>
      Promise.all(
        fleet.proxies.map(
          async ({ url }) => (await fetch(`${url}/proxy/${integration}/`, { headers })).status,
        ),
      );
    await expect.poll(ask, { timeout: 1_000, interval: 20 }).toEqual([403, 403]);
  });
});

it('both keys are good while they overlap', async () => {
  const { id, key } = await createKnown();
  const rotated = await callAdmin('POST', `/${id}/rotate`);
  expect([await statuses(key), await statuses(rotated.key)]).toEqual([
    [200, 200],
    [200, 200],
  ]);
});
