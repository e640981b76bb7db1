import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { adminToken } from '../../start-world.ts';
import { origin, startConsole, startConsoleForTest, type Console } from '../start-console.ts';

const app = 'https://app.example.com';

let console: Console;

beforeAll(async () => {
  console = await startConsole({ CONNECT_RETURN_ORIGINS: `${app}, https://other.example.com:8443` });
  await vi.waitUntil(async () => (await ask({})).status === 201, 10_000);
});

afterAll(() => console.close());

async function ask(body: object, tenantId = 'acme', { request } = console) {
  const response = await request(`/admin/tenants/${tenantId}/connect-sessions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as { id: string; url: string; expiresAt: string; detail: string };
  return { status: response.status, ...answer, path: answer.url?.slice(origin.length) };
}

const open = (path: string, headers: Record<string, string> = { origin }) =>
  console.request(path, { method: 'POST', headers });

const cookieOf = (answer: Response) => answer.headers.get('set-cookie') ?? '';

describe('a connect session', () => {
  it('is a link at the console that is good for 15 minutes unless told', async () => {
    const before = Date.now();
    const { status, url, id, expiresAt } = await ask({ integration: 'github' });
    expect(status).toBe(201);
    expect(url).toMatch(/^https:\/\/console\.example\.com\/connect\/session\/[\w-]{43}$/);
    expect(url).not.toContain(id);
    expect(Date.parse(expiresAt) - before).toBeGreaterThanOrEqual(900_000);
    expect(Date.parse(expiresAt) - before).toBeLessThan(910_000);
  });

  it('leaves ids in Redis, and of its link a hash, for as long as it is good', async () => {
    await console.redis.flushall();
    const { url } = await ask({ integration: 'github', user: 'ada', expiresInSeconds: 60 });
    const [key = ''] = await console.redis.keys('connectors:connect-session:*');
    expect(await console.redis.ttl(key)).toBeGreaterThan(55);
    expect(await console.redis.ttl(key)).toBeLessThanOrEqual(60);
    expect(`${key} ${await console.redis.get(key)}`).not.toContain(url.split('/').pop());
  });

  it.each([
    ['an integration that there is not', { integration: 'gitlab' }, 404, 'no such integration'],
    ['scopes for nothing', { scopes: ['repo'] }, 400, 'scopes: need an integration'],
    [
      'two scopes in one',
      { integration: 'github', scopes: ['repo user'] },
      400,
      'scopes.0: must be one scope',
    ],
    ['a time that is too long', { expiresInSeconds: 3_601 }, 400, 'expiresInSeconds'],
    ['a time that is too short', { expiresInSeconds: 59 }, 400, 'expiresInSeconds'],
    ['a user of two lines', { user: 'a\nb' }, 400, 'user: must be'],
    ['a field that there is not', { tenant: 'other' }, 400, 'tenant'],
    [
      'more than a cookie holds',
      { integration: 'github', scopes: Array.from({ length: 50 }, (_, at) => `${at}`.padEnd(60, 'x')) },
      400,
      'together they are too long',
    ],
  ])('is refused for %s', async (_name, body, status, detail) => {
    expect(await ask(body)).toMatchObject({ status, detail: expect.stringContaining(detail) as string });
  });

  it.each(['session', 'callback'])('is refused for a tenant whose name is a page’s: %s', async (tenantId) => {
    expect(await ask({}, tenantId)).toMatchObject({
      status: 400,
      detail: expect.stringContaining('tenantId') as string,
    });
  });

  it('is for the operator alone', async () => {
    const path = '/admin/tenants/acme/connect-sessions';
    const headers = { ...(await console.session()), origin, 'content-type': 'application/json' };
    expect((await console.request(path, { method: 'POST', headers, body: '{}' })).status).toBe(401);
  });

  it('says that Redis is away', async () => {
    const alone = await startConsoleForTest();
    await alone.redisServer.close();
    await vi.waitFor(async () => expect((await ask({}, 'acme', alone)).status).toBe(503), 10_000);
  });
});

describe('the return URL', () => {
  it.each([
    `${app}/settings?tab=2#top`,
    app,
    'https://other.example.com:8443/x',
    `${app}:443/`,
    'HTTPS://APP.example.com/',
  ])('may be %s', async (returnUrl) => {
    expect((await ask({ returnUrl })).status).toBe(201);
  });

  it.each([
    'https://evil.example.com/',
    'https://app.example.com.evil.example/',
    'https://app.example.com@evil.example/',
    'https://app.example.com:pass@app.example.com/',
    'https://evil.example\\@app.example.com/',
    'https://app.example.com\\@evil.example/',
    '//app.example.com/',
    '//evil.example/',
    '/settings',
    'https:app.example.com',
    'http://app.example.com/',
    'https://app.example.com:8443/',
    'https://other.example.com/',
    'https://app.example.com/\n',
    ' https://app.example.com/',
    'javascript:alert(1)//https://app.example.com/',
    'https://аpp.example.com/',
    '',
  ])('must not be %j: users are sent to registered origins alone', async (returnUrl) => {
    expect(await ask({ returnUrl })).toMatchObject({
      status: 400,
      detail: expect.stringContaining('CONNECT_RETURN_ORIGINS') as string,
    });
  });

  it('is refused altogether where no origin is registered', async () => {
    const { request, ...other } = await startConsoleForTest();
    expect((await ask({ returnUrl: app }, 'acme', { ...other, request })).status).toBe(400);
  });
});

describe('the link', () => {
  it('shows a page that names tenant, integration and user, however often it is looked at', async () => {
    const { path } = await ask({ integration: 'github', user: 'ada@example.com' });
    for (let count = 0; count < 3; count += 1) {
      const answer = await console.request(path);
      expect([answer.status, cookieOf(answer)]).toEqual([200, '']);
      const page = await answer.text();
      for (const name of ['GitHub', 'acme', 'ada@example.com']) expect(page).toContain(name);
    }
    expect((await open(path)).status).toBe(303);
  });

  it('opens a session with its button, and leads to the integration', async () => {
    const { path } = await ask({ integration: 'github' });
    const answer = await open(path);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/connect/acme/github']);
    const [pair = '', ...attributes] = cookieOf(answer).split('; ');
    expect(pair).toMatch(/^__Host-connectors_tenant=/);
    expect(attributes.sort()).toEqual(['HttpOnly', 'Max-Age=28800', 'Path=/', 'SameSite=Lax', 'Secure']);
  });

  it('leads to the page of the tenant where it names no integration', async () => {
    const { path } = await ask({});
    expect((await open(path)).headers.get('location')).toBe('/tenants/acme');
  });

  it('opens a session that browsers keep, however much it was asked to hold', async () => {
    const { path } = await ask({ returnUrl: `${app}/`.padEnd(1_000, 'x'), user: 'ü'.repeat(200) });
    expect(cookieOf(await open(path)).length).toBeLessThan(4_096);
  });

  it('works once', async () => {
    const { path } = await ask({});
    const answers = await Promise.all([open(path), open(path), open(path)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([303, 410, 410]);
    for (const method of ['GET', 'POST']) {
      const answer = await console.request(path, { method, headers: { origin } });
      expect([answer.status, cookieOf(answer)]).toEqual([410, '']);
      expect(await answer.text()).toContain('This link no longer works');
    }
  });

  it.each([
    ['another origin', { origin: 'https://evil.example.com' }],
    ['no origin', {}],
    ['an opaque origin', { origin: 'null' }],
  ])('is not used up from %s: nobody is put into a session by a foreign page', async (_name, headers) => {
    const { path } = await ask({});
    const answer = await open(path, headers);
    expect([answer.status, cookieOf(answer)]).toEqual([403, '']);
    expect((await open(path)).status).toBe(303);
  });

  it('that nobody asked for is a used one', async () => {
    expect((await open('/connect/session/AAAA')).status).toBe(410);
  });

  it('shows names of the operator’s backend as text', async () => {
    const { path } = await ask({ user: '<script>alert(1)</script>' });
    expect(await (await console.request(path)).text()).not.toContain('<script>alert');
  });

  it('is a page that says so when Redis is away', async () => {
    const alone = await startConsoleForTest();
    await alone.redisServer.close();
    await vi.waitFor(async () => {
      const answer = await alone.request('/connect/session/AAAA');
      expect([answer.status, answer.headers.get('content-type')]).toEqual([503, 'text/html; charset=utf-8']);
    }, 10_000);
  });

  it('gives the browser a new session each time, whatever cookie it came with', async () => {
    const cookies: string[] = [];
    for (let count = 0; count < 2; count += 1) {
      const { path } = await ask({});
      const answer = await open(path, { origin, cookie: cookies[0] ?? '__Host-connectors_tenant=planted' });
      cookies.push(cookieOf(answer).split(';')[0] ?? '');
    }
    expect(cookies[0]).not.toBe(cookies[1]);
    expect(cookies[0]).not.toContain('planted');
  });
});
