import { findFittingKey, parseAgentKey, type AgentKey } from '@connectors/vault-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startWorld, type World } from '../../start-world.ts';
import { startAdmin, type Admin } from './start-admin.ts';

let world: World;
let admin: Admin;

beforeAll(async () => {
  world = await startWorld();
  admin = await startAdmin(world);
});

afterAll(async () => {
  await admin.close();
  await world.close();
});

const grants = [{ tenants: ['acme'], integrations: ['demo'], rest: { methods: ['GET'], paths: ['/user'] } }];
const later = '2100-01-01T00:00:00.000Z';

/** An agent as it was answered, and its path. */
async function create(body: object = {}) {
  const { status, body: created } = await admin.call('POST', '/agents', { name: 'a bot', grants, ...body });
  expect(status).toBe(201);
  return { created, path: `/agents/${created.id}` };
}

async function fits(key: string): Promise<boolean> {
  const presented = parseAgentKey(key) as AgentKey;
  const agent = await world.admin.agents.find(presented.id);
  return agent !== undefined && findFittingKey(agent.keys, presented) !== undefined;
}

const isAnnounced = (agentId: string) =>
  vi.waitUntil(() => world.events.some((event) => 'agentId' in event && event.agentId === agentId), 5_000);

describe('creating an agent', () => {
  it('answers with its key, which is shown this once', async () => {
    const { created, path } = await create();
    const { key, ...shown } = created;
    expect(shown).toEqual({
      id: expect.stringMatching(/^[a-z2-7]{16}$/) as string,
      name: 'a bot',
      keys: [{ createdAt: shown.createdAt }],
      grants,
      createdAt: expect.any(String) as string,
    });
    expect(await fits(key)).toBe(true);
    expect((await admin.call('GET', path)).body).toEqual(shown);
    expect((await admin.call('GET', '/agents?limit=200')).body.items).toContainEqual(shown);
  });

  it('is announced', async () => {
    const { created } = await create();
    expect(await isAnnounced(created.id)).toBe(true);
  });

  it('takes an expiry', async () => {
    const { created } = await create({ expiresAt: later });
    expect(created.expiresAt).toBe(later);
  });

  it.each([
    ['no name', { name: ' ' }, 'name: '],
    ['no grant', { grants: [] }, 'grants: '],
    ['no tenant', { grants: [{ tenants: [] }] }, 'grants.0.tenants: '],
    [
      'a tenant that is no id',
      { grants: [{ tenants: ['../acme'] }] },
      'grants.0.tenants.0: must be 1 to 64 characters',
    ],
    [
      'a method that there is not',
      { grants: [{ tenants: ['acme'], rest: { methods: ['GET', 'FETCH'] } }] },
      'grants.0.rest.methods.1: must be an HTTP method',
    ],
    [
      'a path that nothing can match',
      { grants: [{ tenants: ['acme'], rest: { paths: ['/a/../b'] } }] },
      'grants.0.rest.paths.0: must be a path from `/` on',
    ],
    [
      'a tool that is none',
      { grants: [{ tenants: ['acme'], mcp: { tools: ['a b'] } }] },
      'grants.0.mcp.tools.0: must be the name of an MCP tool',
    ],
    ['an expiry in the past', { expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt: must be in the future'],
    [
      'a grant that has expired',
      { grants: [...grants, { tenants: ['acme'], expiresAt: '2020-01-01T00:00:00Z' }] },
      'grants.1.expiresAt: must be in the future',
    ],
    ['an expiry without a zone', { expiresAt: '2100-01-01' }, 'expiresAt: '],
    [
      'a restriction that there is not',
      { grants: [{ tenants: ['acme'], path: '/user' }] },
      'grants.0.path: there is no such field here',
    ],
    ['a key of its own', { key: 'cak_a_b' }, 'key: there is no such field here'],
  ])('is refused with %s, naming the field and its rule', async (_what, body, named) => {
    const answer = await admin.call('POST', '/agents', { name: 'refused', grants, ...body });
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toContain(named);
    const { items: agents } = (await admin.call('GET', '/agents?limit=200')).body;
    expect(agents.map(({ name }: { name: string }) => name)).not.toContain('refused');
  });
});

describe('an agent', () => {
  it('is changed, and keeps what is not named', async () => {
    const { created, path } = await create({ expiresAt: later });
    const { key, ...shown } = created;
    const changed = await admin.call('PATCH', path, { grants: [{ tenants: ['umbrella'] }] });
    expect(changed.body).toEqual({ ...shown, grants: [{ tenants: ['umbrella'] }] });
    expect(await fits(key)).toBe(true);
    expect(await isAnnounced(created.id)).toBe(true);
  });

  it('loses its expiry', async () => {
    const { path } = await create({ expiresAt: later });
    expect((await admin.call('PATCH', path, { expiresAt: null })).body).not.toHaveProperty('expiresAt');
  });

  it.each([
    ['expiry', { expiresAt: '2020-01-01T00:00:00Z' }],
    ['name', { name: '' }],
    ['grants', { grants: [] }],
    ['a field that there is not', { keys: [] }],
  ])('stays as it was when its new %s breaks a rule', async (_what, change) => {
    const { created, path } = await create();
    expect((await admin.call('PATCH', path, change)).status).toBe(400);
    const { key: _key, ...shown } = created;
    expect((await admin.call('GET', path)).body).toEqual(shown);
  });

  it('gets a new key, and the old one is good for the overlap', async () => {
    const { created, path } = await create();
    const rotated = await admin.call('POST', `${path}/rotate`, { overlapSeconds: 3_600 });
    expect(rotated.status).toBe(200);
    expect(await Promise.all([fits(rotated.body.key), fits(created.key)])).toEqual([true, true]);
    const [, old] = (await admin.call('GET', path)).body.keys;
    expect(Math.abs(Date.parse(old.expiresAt) - Date.now() - 3_600_000)).toBeLessThan(60_000);
    expect(await isAnnounced(created.id)).toBe(true);
  });

  it('gets a new key with an overlap of a day, if nobody says otherwise', async () => {
    const { path } = await create();
    const [, old] = (await admin.call('POST', `${path}/rotate`)).body.keys;
    expect(Math.abs(Date.parse(old.expiresAt) - Date.now() - 24 * 3_600_000)).toBeLessThan(60_000);
  });

  it('is rotated and revoked also with the type of a body that is empty, which was a 400', async () => {
    const { path } = await create();
    expect((await admin.call('POST', `${path}/rotate`, '')).status).toBe(200);
    expect((await admin.call('PATCH', path, '')).status).toBe(400);
    expect((await admin.call('DELETE', path, '')).status).toBe(204);
  });

  it('gets no new key with an overlap of more than a week', async () => {
    const { path } = await create();
    expect((await admin.call('POST', `${path}/rotate`, { overlapSeconds: 604_801 })).status).toBe(400);
  });

  it('is revoked', async () => {
    const { created, path } = await create();
    expect((await admin.call('DELETE', path)).status).toBe(204);
    expect(await fits(created.key)).toBe(false);
    expect((await admin.call('GET', path)).status).toBe(404);
    expect((await admin.call('DELETE', path)).status).toBe(404);
    expect(await isAnnounced(created.id)).toBe(true);
  });

  it.each([
    ['GET', '/agents/nobody'],
    ['PATCH', '/agents/nobody'],
    ['DELETE', '/agents/nobody'],
    ['POST', '/agents/nobody/rotate'],
  ])('that there is not: %s %s', async (method, path) => {
    const answer = await admin.call(method, path, method === 'PATCH' ? { name: 'x' } : undefined);
    expect(answer.status).toBe(404);
  });

  it('has an id that is one', async () => {
    const answer = await admin.call('GET', '/agents/..%2Facme%2Fdemo');
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toContain('agentId: must be 1 to 64 characters');
  });

  it('is on one of the pages of the list', async () => {
    const made = [await create(), await create(), await create()].map(({ created }) => created.id as string);
    const listed: string[] = [];
    for (let query = '?limit=2'; query !== '';) {
      const { body } = await admin.call('GET', `/agents${query}`);
      expect(body.items.length).toBeLessThanOrEqual(2);
      listed.push(...(body.items as { id: string }[]).map(({ id }) => id));
      query = body.next === undefined ? '' : `?limit=2&after=${body.next}`;
    }
    expect(listed).toEqual([...new Set(listed)].toSorted());
    expect(listed).toEqual(expect.arrayContaining(made));
  });

  it('that nobody can read is listed by its id, and can be revoked', async () => {
    const { created, path } = await create();
    const { rootToken, url } = world.vaultServer;
    await fetch(`${url}/v1/secret/data/_agents/${created.id}`, {
      method: 'POST',
      headers: { 'x-vault-token': rootToken },
      body: JSON.stringify({ data: { tenants: ['acme'] } }),
    });
    expect((await admin.call('GET', '/agents?limit=200')).body.unreadable).toEqual([created.id]);
    expect((await admin.call('DELETE', path)).status).toBe(204);
    expect((await admin.call('GET', '/agents?limit=200')).body.unreadable).toEqual([]);
  });
});

describe('a change that may have happened is announced:', () => {
  it('its answer was lost', async () => {
    const { created, path } = await create();
    world.events.length = 0;
    world.vaultServer.seal();
    expect((await admin.call('DELETE', path)).status).toBe(503);
    world.vaultServer.unseal();
    expect(await isAnnounced(created.id)).toBe(true);
  });
});

it('shows no hash of a key, and logs neither hash nor key', async () => {
  const { created, path } = await create();
  const { body: rotated } = await admin.call('POST', `${path}/rotate`);
  const { keys = [] } = (await world.admin.agents.find(created.id)) ?? {};
  const hashes = keys.map(({ secretSha256 }) => secretSha256);
  const shown = [
    rotated,
    (await admin.call('GET', path)).body,
    (await admin.call('GET', '/agents?limit=200')).body,
  ];
  expect(hashes).toHaveLength(2);
  for (const secret of hashes) expect(JSON.stringify([created, ...shown])).not.toContain(secret);
  for (const secret of [...hashes, created.key, rotated.key])
    expect(admin.lines.join('\n')).not.toContain(secret);
  expect(admin.lines.join('\n')).toContain('key rotated');
});
