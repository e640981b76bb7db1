import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { adminToken, startWorld, type World } from '../../../start-world.ts';
import { startAdmin, type Admin } from '../../admin/start-admin.ts';
import { newVisitor, type Visitor } from '../../visitor.ts';

const origin = 'http://127.0.0.1:8090';

let world: World;
let worker: Admin;
let operator: Visitor;

beforeAll(async () => {
  world = await startWorld();
  worker = await startAdmin(world);
  operator = newVisitor(worker.url, origin);
  await operator.submit((await operator.get('/sign-in')).page, '/sign-in', { token: adminToken });
  const meets = { kind: 'status', status: 400, body: { error: 'invalid_grant' } } as const;
  await world.jobAs('failed', await world.connect({ tenantId: 'acme-2', integration: 'demo' }, { meets }));
  for (const tenantId of ['acme-1', 'umbrella']) await world.connect({ tenantId, integration: 'demo' });
  await vi.waitUntil(async () => (await tenants('?state=active')).length === 2, 10_000);
});

afterAll(async () => {
  await worker.close();
  await world.close();
});

const get = async (path: string) => (await operator.get(path)).page;

async function tenants(query: string): Promise<string[]> {
  return [...(await get(`/tenants${query}`)).matchAll(/href="\/tenants\/([\w-]+)"/g)].map(
    ([, id = '']) => id,
  );
}

describe('the list of tenants', () => {
  it('is for the operator', async () => {
    for (const path of ['/tenants', '/agents', '/events'])
      expect((await newVisitor(worker.url, origin).get(path)).to).toBe('/sign-in');
  });

  it('names all, in the order of their ids', async () => {
    expect(await tenants('')).toEqual(['acme-1', 'acme-2', 'umbrella']);
  });

  it('names those whose id begins with some letters', async () => {
    expect(await tenants('?prefix=acme')).toEqual(['acme-1', 'acme-2']);
    expect(await tenants('?prefix=x')).toEqual([]);
  });

  it('names those in a state', async () => {
    expect(await tenants('?state=needs_reauth')).toEqual(['acme-2']);
    expect(await tenants('?state=failing')).toEqual([]);
  });

  it('goes on behind an id', async () => {
    expect(await tenants('?after=acme-1')).toEqual(['acme-2', 'umbrella']);
  });

  it.each(['?prefix=%22%3E%3Cscript%3E', '?after=..%2F', '?prefix=_'])(
    'takes ids alone: %s',
    async (query) => {
      expect(await get(`/tenants${query}`)).not.toContain('<script>');
      expect(await tenants(query)).toEqual([]);
    },
  );
});

it('says which part of an address is wrong, and how', async () => {
  expect(await get('/tenants?prefix=%21')).toContain('prefix: is not one of an id');
});

describe('the list of agents', () => {
  it('names them and their grants, and no key', async () => {
    const { body } = await worker.call('POST', '/agents', {
      name: '<b>bot</b>',
      grants: [{ tenants: ['acme-1'], rest: { methods: ['GET'], paths: ['/user'] } }],
    });
    const page = await get('/agents');
    expect(page).toContain('&#60;b&#62;bot');
    expect(page).toContain('REST GET /user');
    const { key } = body as { key: string };
    expect(page).not.toContain(key.split('_')[2]);
  });
});

describe('the overview', () => {
  it('counts tenants by their state, and leads to them', async () => {
    const page = await get('/');
    const figures = [...page.matchAll(/href="\/tenants\?state=(\w+)">\s*<strong>(\d+)/g)].map(
      ([, state, n]) => [state, n],
    );
    expect(figures).toEqual([
      ['needs_reauth', '1'],
      ['failing', '0'],
      ['expiring', '0'],
      ['active', '2'],
    ]);
  });

  it('leads to the page of a tenant that needs somebody', async () => {
    expect(await get('/')).toMatch(/href="\/tenants\/acme-2"/);
  });

  it('shows refreshes as bars, and says the same in words', async () => {
    const page = await get('/');
    expect(page).toMatch(
      /<svg\s+class="bars"[^>]*aria-label="\d+ refreshes in the last 60 minutes, and \d+ that failed/,
    );
    expect(page).toContain('class="done"');
  });

  it('makes a link for a tenant that is new', async () => {
    const made = await operator.submit(await get('/'), '/links', { tenant: 'initech', user: 'peter' });
    expect(made.page).toMatch(/value="http:\/\/127\.0\.0\.1:8090\/connect\/session\/[\w-]{43}"/);
    const refused = await operator.submit(await get('/'), '/links', { tenant: '../x' });
    expect([refused.status, refused.page.includes('/connect/session/')]).toEqual([400, false]);
  });
});
