import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { adminToken, startWorld, type World } from '../../../start-world.ts';
import { startAdmin, type Admin } from '../../admin/start-admin.ts';
import { newVisitor, type Visitor } from '../../visitor.ts';

const origin = 'http://127.0.0.1:8090';

let world: World;
let worker: Admin;

beforeAll(async () => {
  world = await startWorld();
  worker = await startAdmin(world, { GITHUB_CLIENT_ID: 'github-client' });
});

afterAll(async () => {
  await worker.close();
  await world.close();
});

beforeEach(() => world.clear());

/** Somebody who opened a link that the operator's backend asked for. */
async function userOf(tenantId: string, session: object = {}): Promise<Visitor> {
  const visitor = newVisitor(worker.url, origin);
  const { body } = await worker.call('POST', `/tenants/${tenantId}/connect-sessions`, session);
  const { pathname } = new URL((body as { url: string }).url);
  const { page } = await visitor.get(pathname);
  expect((await visitor.submit(page, pathname)).status).toBe(303);
  return visitor;
}

async function operator(): Promise<Visitor> {
  const visitor = newVisitor(worker.url, origin);
  const { page } = await visitor.get('/sign-in');
  expect((await visitor.submit(page, '/sign-in', { token: adminToken })).status).toBe(303);
  return visitor;
}

const words = (page: string) =>
  page
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(' :', ':');

const acme = { tenantId: 'acme', integration: 'demo' };

describe('a tenant’s page', () => {
  it('is for users who were sent with a link, and says so to everybody else', async () => {
    const user = await userOf('acme', { user: 'alice' });
    expect(words((await user.get('/tenants/acme')).page)).toContain('Signed in as alice');
    const { status, page } = await newVisitor(worker.url, origin).get('/tenants/acme');
    expect([status, words(page).includes('You need a link for this page')]).toEqual([401, true]);
  });

  it.each(['/tenants/umbrella', '/tenants/umbrella/events', '/tenants/umbrella/demo/disconnect'])(
    'of another tenant is closed: %s',
    async (path) => {
      expect((await (await userOf('acme')).get(path)).status).toBe(401);
    },
  );

  it('is closed to a link for one integration', async () => {
    expect((await (await userOf('acme', { integration: 'github' })).get('/tenants/acme')).status).toBe(401);
  });

  it('is open to the operator', async () => {
    expect(words((await (await operator()).get('/tenants/acme')).page)).toContain(
      'You see this page as the operator',
    );
  });

  it.each(['/tenants/_agents', '/tenants/a%2Fb', '/tenants/..%2f_clients'])(
    'has an id of a tenant in its address: %s',
    async (path) => {
      expect((await (await operator()).get(path)).status).toBe(401);
    },
  );

  it('names what may be connected', async () => {
    const { page } = await (await userOf('acme')).get('/tenants/acme');
    expect(words(page)).toContain('Nothing is connected yet');
    expect(page).toContain('href="/connect/acme/demo"');
    expect(page).toContain('href="/connect/acme/github"');
  });

  it('tells of each connection its state, scopes and times', async () => {
    await world.connect(acme, { expiresIn: 3_600 });
    const { page } = await (await userOf('acme')).get('/tenants/acme');
    expect(words(page)).toMatch(
      /Active .*Issued .*Next refresh .*Expires .*Scopes openid offline_access api:read/,
    );
    expect(page).toContain('<circle class="now"');
  });

  it('says why a connection needs its user', async () => {
    const meets = { kind: 'status', status: 400, body: { error: 'invalid_grant' } } as const;
    await world.jobAs('failed', await world.connect(acme, { meets }));
    const { page } = await (await userOf('acme')).get('/tenants/acme');
    expect(words(page)).toContain('Needs reconnect');
    expect(words(page)).toContain('The provider says that access was withdrawn or has expired.');
    expect(page).not.toContain('/demo/refresh"');
  });

  it('says that a refresh fails for now', async () => {
    await world.jobAs(
      'delayed',
      await world.connect(acme, { meets: { kind: 'status', status: 500, body: '' } }),
    );
    const text = words((await (await userOf('acme')).get('/tenants/acme')).page);
    expect(text).toContain('Refresh fails');
    expect(text).toContain('The provider is having problems.');
  });

  it('lists what happened lately', async () => {
    await world.jobAs('completed', await world.connect(acme));
    const { page } = await (await userOf('acme')).get('/tenants/acme');
    expect(words(page)).toMatch(/Recent events .* was refreshed/);
  });

  it('shows no token', async () => {
    await world.connect(acme, { expiresIn: 3_600 });
    const { accessToken, refreshToken } = await world.admin.getCredentials('acme', 'demo');
    const { page } = await (await userOf('acme')).get('/tenants/acme');
    for (const secret of [accessToken, refreshToken ?? '', 'vault:v1'])
      expect(page.includes(secret)).toBe(false);
  });

  it('takes nothing that a provider or a backend names for HTML', async () => {
    const evil = `"><script>alert(1)</script><img src=x onerror='alert(1)'>`;
    await world.connect(acme, { expiresIn: 3_600 });
    const { credential, version } = await world.admin.credentials.get(acme);
    const metadata = { ...credential.metadata, account: { id: evil, name: evil }, fields: { [evil]: evil } };
    await world.admin.credentials.write(acme, { ...credential, scopes: [evil], metadata }, version);
    const { page } = await (await userOf('acme', { user: evil })).get('/tenants/acme');
    expect(page.split('alert(1)').length).toBeGreaterThan(8);
    expect(page).not.toMatch(/<script>|<img|onerror='/);
    const named = await (
      await userOf('acme')
    ).get(`/tenants/acme?notice=refreshed&about=${encodeURIComponent(evil)}`);
    expect(named.page).not.toContain('<script>');
  });

  it('names only what it knows, whatever its address says', async () => {
    const user = await userOf('acme');
    for (const query of ['notice=constructor&about=demo', 'notice=refreshed&about=your%20bank', 'notice=x']) {
      const { status, page } = await user.get(`/tenants/acme?${query}`);
      expect([query, status, page.includes('class="note')]).toEqual([query, 200, false]);
    }
    expect(words((await user.get('/tenants/acme?notice=refreshed&about=demo')).page)).toContain(
      'was refreshed',
    );
  });

  it('says that Vault does not answer', async () => {
    const user = await userOf('acme');
    world.vaultServer.seal();
    onTestFinished(() => world.vaultServer.unseal());
    const { status, page } = await user.get('/tenants/acme');
    expect([status, words(page).includes('Try again in a moment')]).toEqual([503, true]);
  });
});

describe('on a tenant’s page, a user', () => {
  it('refreshes a connection, and is told when it is done', async () => {
    await world.connect(acme, { expiresIn: 3_600 });
    const { credential, version } = await world.admin.credentials.get(acme);
    const tokenIssuedAt = new Date(Date.now() - 120_000).toISOString();
    await world.admin.credentials.write(
      acme,
      { ...credential, metadata: { ...credential.metadata, tokenIssuedAt } },
      version,
    );
    const user = await userOf('acme');
    const { page } = await user.get('/tenants/acme');
    const { status, to } = await user.submit(page, '/tenants/acme/demo/refresh');
    expect([status, to]).toEqual([303, '/tenants/acme?notice=refreshed&about=demo']);
    expect(words((await user.get(to ?? '')).page)).toContain('was refreshed: agents have a new token');
    expect((await world.stored(acme)).metadata.refreshCount).toBe(1);
  });

  it('disconnects, after a question, also without a script', async () => {
    await world.connect(acme, { expiresIn: 3_600 });
    const user = await userOf('acme');
    const { page } = await user.get('/tenants/acme/demo/disconnect');
    expect(words(page)).toContain('Agents lose their access');
    const { status, to } = await user.submit(page, '/tenants/acme/demo/disconnect');
    expect([status, to]).toEqual([303, '/tenants/acme?notice=disconnected&about=demo']);
    expect(await world.admin.credentials.find(acme)).toBeUndefined();
    expect(words((await user.get(to ?? '')).page)).toContain('its tokens are revoked');
  });

  it('is told when there was nothing to disconnect any more', async () => {
    const user = await userOf('acme');
    const { page } = await user.get('/tenants/acme/demo/disconnect');
    expect((await user.submit(page, '/tenants/acme/demo/disconnect')).to).toContain('notice=absent');
  });

  it('leaves, and needs a new link to come back', async () => {
    const user = await userOf('acme');
    const { page } = await user.get('/tenants/acme/leave');
    await user.submit(page, '/tenants/acme/leave');
    expect((await user.get('/tenants/acme')).status).toBe(401);
  });

  it('makes no link for others', async () => {
    const user = await userOf('acme');
    const { page } = await user.get('/tenants/acme/leave');
    const form = page.replace('action="/tenants/acme/leave"', 'action="/tenants/acme/link"');
    const { status, page: answer } = await user.submit(form, '/tenants/acme/link');
    expect(status).toBe(403);
    expect(answer).not.toContain('/connect/session/');
  });
});

describe('on a tenant’s page, the operator', () => {
  it('makes a link that lets one user in', async () => {
    const visitor = await operator();
    const { page } = await visitor.get('/tenants/acme');
    const made = await visitor.submit(page, '/tenants/acme/link', { user: 'bob <b>' });
    const path = new URL(/value="(http[^"]+)"/.exec(made.page)?.[1] ?? '').pathname;
    const user = newVisitor(worker.url, origin);
    await user.submit((await user.get(path)).page, path);
    expect(words((await user.get('/tenants/acme')).page)).toContain('Signed in as bob &#60;b&#62;');
    expect(worker.lines.join('')).not.toContain(path.split('/').pop());
  });
});

describe('the operator, once signed out', () => {
  it('is out of the tenant’s session that a connect began in this browser, too', async () => {
    const visitor = await operator();
    const { page } = await visitor.get('/connect/acme/demo');
    expect((await visitor.submit(page, '/connect/acme/demo')).status).toBe(303);
    await visitor.submit((await visitor.get('/sign-out')).page, '/sign-out');
    expect((await visitor.get('/tenants/acme')).status).toBe(401);
  });
});

describe('a tenant’s stream of events', () => {
  async function listen(visitor: Visitor, path: string) {
    const ending = new AbortController();
    onTestFinished(() => ending.abort());
    const cookie = [...visitor.cookies].map((pair) => pair.join('=')).join('; ');
    const response = await fetch(`${worker.url}${path}`, { headers: { cookie }, signal: ending.signal });
    let text = '';
    void (async () => {
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
    })().catch(() => undefined);
    return { response, text: () => text };
  }

  it('tells of what happens as it happens, in ids alone', async () => {
    const { response, text } = await listen(await userOf('acme'), '/tenants/acme/events');
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(response.headers.get('cache-control')).toBe('no-store');
    await expect.poll(text).toContain('retry: 2000');
    await world.jobAs('completed', await world.connect(acme));
    await expect.poll(text).toMatch(/id: \d+-\d+\nevent: change\ndata: \d+-\d+\n\n/);
    expect(text()).not.toContain('demo');
  });

  it('says nothing of other tenants', async () => {
    const { text } = await listen(await userOf('acme'), '/tenants/acme/events');
    await expect.poll(text).toContain('retry: 2000');
    await world.jobAs('completed', await world.connect({ tenantId: 'umbrella', integration: 'demo' }));
    await world.jobAs('completed', await world.connect(acme));
    await expect.poll(text).toContain('event: change');
    const history = await world.redis.xlen('connectors:history:acme');
    expect(text().split('event: change').length - 1).toBeLessThanOrEqual(history);
  });

  it('is not opened by a request that reads no answer', async () => {
    const user = await userOf('acme');
    expect((await user.request('/tenants/acme/events', { method: 'HEAD' })).status).toBe(404);
  });

  it('is opened so often, and no tenant takes the place of the others', async () => {
    const user = await userOf('acme');
    const all = await Promise.all(Array.from({ length: 51 }, () => listen(user, '/tenants/acme/events')));
    expect(all.map(({ response }) => response.status).filter((status) => status === 503)).toHaveLength(1);
    const other = await listen(await userOf('umbrella'), '/tenants/umbrella/events');
    expect(other.response.status).toBe(200);
  });
});
