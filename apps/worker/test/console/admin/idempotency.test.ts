import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startRelay } from '../../../../../packages/vault-core/test/start-relay.ts';
import { startWorld, type World } from '../../start-world.ts';
import { Idempotency } from '../../../src/console/admin/idempotency.ts';
import { startAdmin, type Admin } from './start-admin.ts';

let world: World;
let admin: Admin;
let keys = 0;
let key: string;

beforeAll(async () => {
  world = await startWorld();
  admin = await startReady();
});

afterAll(async () => {
  await admin.close();
  await world.close();
});

beforeEach(() => {
  key = `key-${(keys += 1)}`;
});

/** A worker that has reached Vault and Redis. */
async function startReady(env?: Record<string, string>): Promise<Admin> {
  const started = await startAdmin(world, env);
  await vi.waitUntil(async () => (await fetch(`${started.url}/readyz`)).ok, 10_000);
  return started;
}

const agent = { name: 'a bot', grants: [{ tenants: ['acme'] }] };
const post = (path: string, body: object, on = admin, used = key) =>
  on.call('POST', path, body, { 'idempotency-key': used });
const agentsNamed = async (name: string) =>
  (await admin.call('GET', '/agents?limit=200')).body.items.filter(
    (each: { name: string }) => each.name === name,
  );

describe.each([
  ['an agent', '/agents', agent],
  ['a webhook', '/tenants/acme/webhooks', { url: 'https://hooks.example.com' }],
  ['a connect session', '/tenants/acme/connect-sessions', { integration: 'demo' }],
])('%s', (_what, path, body) => {
  it('is made once for a key, and a repeat says which it was and what to do, not its secret', async () => {
    const first = await post(path, body);
    expect(first.status).toBe(201);
    const second = await post(path, body);
    expect(second).toMatchObject({ status: 409, body: { code: 'already_created', id: first.body.id } });
    const [secret] = /cak_\w+|whsec_[^"]+|connect\/session\/[^"]+/.exec(JSON.stringify(first.body)) ?? [];
    expect(secret).toBeDefined();
    expect(JSON.stringify(second.body)).not.toContain(secret);
  });

  it('is made once however many ask for it at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => post(path, body)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(39);
  });

  it('is made for another key', async () => {
    const first = await post(path, body);
    const second = await post(path, body, admin, `${key}-other`);
    expect(second.status).toBe(201);
    expect(second.body.id).not.toBe(first.body.id);
  });

  it('is refused for the same key with another body', async () => {
    await post(path, body);
    const second = await post(path, {
      ...body,
      ...(path === '/agents' ? { name: 'b' } : {}),
      ...other[path],
    });
    expect(second).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
  });

  it('is made without a key as often as it is asked for', async () => {
    const [first, second] = [await admin.call('POST', path, body), await admin.call('POST', path, body)];
    expect([first.status, second.status]).toEqual([201, 201]);
  });
});

const other: Record<string, object> = {
  '/tenants/acme/webhooks': { description: 'another' },
  '/tenants/acme/connect-sessions': { user: 'ada' },
};

describe('a key', () => {
  it('counts for its path: another tenant may have the same', async () => {
    const body = { url: 'https://hooks.example.com' };
    expect((await post('/tenants/one/webhooks', body)).status).toBe(201);
    expect((await post('/tenants/two/webhooks', body)).status).toBe(201);
  });

  it('may be used again with a corrected body after a refusal', async () => {
    const refused = await post('/tenants/acme/connect-sessions', { integration: 'demo', returnUrl: 'x' });
    expect(refused.status).toBe(400);
    expect((await post('/tenants/acme/connect-sessions', { integration: 'demo' })).status).toBe(201);
  });

  it.each(['', 'a b', 'ä', 'a'.repeat(201)])('is refused as %j', async (used) => {
    const answer = await post('/agents', agent, admin, encodeURI(used) === used ? used : 'a b');
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toContain('Idempotency-Key: must be');
  });

  it('is forgotten after a day, and Redis knows neither it nor what was answered', async () => {
    const made = await post('/agents', agent);
    const [name = ''] = await world.redis.keys('connectors:idempotency:*');
    expect(await world.redis.ttl(name)).toBeGreaterThan(86_000);
    const stored = JSON.stringify([name, await world.redis.get(name)]);
    expect(stored).not.toContain(key);
    expect(stored).not.toContain(made.body.key);
  });
});

describe('a repeat that reads what is remembered just before the first is done', () => {
  it('makes nothing, where nobody can look whether it was made', async () => {
    const { promise: read, resolve: hasRead } = Promise.withResolvers<void>();
    const { promise: goOn, resolve: letGoOn } = Promise.withResolvers<void>();
    const held = Object.create(world.redis) as Redis;
    let reads = 0;
    held.get = async (name) => {
      const found = await world.redis.get(name);
      if ((reads += 1) === 1) {
        hasRead();
        await goOn;
      }
      return found;
    };
    const request = { method: 'POST', url: '/x', headers: { 'idempotency-key': key } } as never;
    let made = 0;
    const creating = { body: {}, exists: () => Promise.resolve(false), next: '' };
    let second: Promise<unknown> = Promise.resolve();
    const create = async (id: string) => {
      const again = { ...creating, create: () => Promise.resolve((made += 1)) };
      second = new Idempotency(held, 'connectors').once(request, again);
      second.catch(() => undefined);
      await read;
      made += 1;
      return id;
    };
    await new Idempotency(world.redis, 'connectors').once(request, { ...creating, create });
    letGoOn();
    await expect(second).rejects.toMatchObject({ code: 'already_created' });
    expect(made).toBe(1);
  });
});

describe('a request whose answer got lost', () => {
  const named = () => ({ ...agent, name: `bot of ${key}` });

  it('is not repeated while it may be under way', async () => {
    const relay = await startRelay(world.vaultServer.url);
    const slow = await startReady({ VAULT_ADDR: relay.address });
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const { promise: writing, resolve: reached } = Promise.withResolvers<void>();
    relay.disturb = async ({ path, method }) => {
      if (method !== 'POST' || !path.includes('_agents')) return undefined;
      reached();
      await held;
      return undefined;
    };
    const first = post('/agents', named(), slow);
    await writing;
    const second = await post('/agents', named());
    expect(second).toMatchObject({ status: 409, body: { code: 'request_in_progress' } });
    expect(second.headers.get('retry-after')).toBe('1');
    release();
    expect((await first).status).toBe(201);
    await slow.close();
    expect(await agentsNamed(named().name)).toHaveLength(1);
  });

  it.each(['reset', 'lost answer'] as const)('made one agent, after a repeat (%s)', async (fault) => {
    const relay = await startRelay(world.vaultServer.url);
    const cut = await startReady({ VAULT_ADDR: relay.address });
    relay.disturb = ({ path, method }) => (method === 'POST' && path.includes('_agents') ? fault : undefined);
    expect((await post('/agents', named(), cut)).status).toBe(503);
    await cut.close();
    const repeat = await post('/agents', named());
    const [made] = await agentsNamed(named().name);
    expect(await agentsNamed(named().name)).toHaveLength(1);
    expect(repeat.body.id).toBe(made.id);
    expect(repeat.status).toBe(fault === 'reset' ? 201 : 409);
  });

  it('is gone on with after a crash in between, with the id that it was to have', async () => {
    const relay = await startRelay(world.vaultServer.url);
    const cut = await startReady({ VAULT_ADDR: relay.address });
    relay.disturb = ({ path }) => (path.includes('_agents') ? 'reset' : undefined);
    await post('/agents', named(), cut);
    await cut.close();
    const [name = ''] = (await world.redis.keys('connectors:idempotency:*')).toSorted();
    expect(name).not.toBe('');
    const { id } = (await post('/agents', named())).body;
    expect(await agentsNamed(named().name)).toMatchObject([{ id }]);
  });
});
