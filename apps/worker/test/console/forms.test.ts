import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminToken } from '../start-world.ts';
import { newVisitor, type Visitor } from './visitor.ts';
import { origin, startConsole, type Console } from './start-console.ts';

/** Pages whose form comes before a session: there is none to bind it to, and none to misuse. */
const beforeSession = ['/sign-in', '/connect/session/:token'];

interface Route {
  method: string;
  url: string;
}

const routes: Route[] = [];
let console: Console;
let operator: Visitor;
let formToken: string;

function note(message: unknown): void {
  (message as { fastify: FastifyInstance }).fastify.addHook('onRoute', ({ method, url }) => {
    for (const each of [method].flat()) routes.push({ method: each, url });
  });
}

beforeAll(async () => {
  subscribe('fastify.initialization', note);
  console = await startConsole({ BOARD_WRITABLE: 'on' });
  unsubscribe('fastify.initialization', note);
  operator = newVisitor(console.url, origin);
  await operator.submit((await operator.get('/sign-in')).page, '/sign-in', { token: adminToken });
  const { page } = await operator.get('/sign-out');
  formToken = /name="form_token" value="([^"]+)"/.exec(page)?.[1] ?? '';
});

afterAll(() => console.close());

/** Every route of the console that changes something, on pages: the admin API looks at no cookie. */
function changing(): Route[] {
  const reading = ['GET', 'HEAD', 'OPTIONS'];
  return routes.filter(({ method, url }) => !reading.includes(method) && !url.startsWith('/admin/'));
}

function send({ method, url }: Route, headers: Record<string, string>, fields: Record<string, string>) {
  const path = url
    .replace(':tenantId', 'acme')
    .replace(':integration', 'github')
    .replaceAll(/:\w+/g, 'refresh-github');
  return operator.request(path, {
    method,
    headers,
    body: new URLSearchParams({ tenant: 'acme', ...fields }),
  });
}

const named = (list: Route[]) => list.map(({ method, url }) => `${method} ${url}`);

/** What a route answers, by its name. */
async function answers(list: Route[], headers: Record<string, string>, fields: Record<string, string> = {}) {
  const found: Record<string, number> = {};
  for (const route of list)
    found[`${route.method} ${route.url}`] = (await send(route, headers, fields)).status;
  return found;
}

const all = (list: Route[], status: number) => Object.fromEntries(named(list).map((name) => [name, status]));

describe('every route of a page that changes something', () => {
  it('is known to this test', () => {
    expect(named(changing())).toEqual(
      expect.arrayContaining([
        'POST /sign-in',
        'POST /sign-out',
        'POST /links',
        'POST /connect/session/:token',
        'POST /connect/:tenantId/:integration',
        'POST /tenants/:tenantId/link',
        'POST /tenants/:tenantId/leave',
        'POST /tenants/:tenantId/:integration/refresh',
        'POST /tenants/:tenantId/:integration/disconnect',
        'PUT /board/api/queues/:queueName/:jobId/promote',
      ]),
    );
  });

  it.each([
    ['another origin', { origin: 'https://evil.example.com' }],
    ['another port of the host', { origin: `${origin}:8443` }],
    ['an origin that hides', { origin: 'null' }],
    ['no origin', {}],
  ])('refuses a request from %s, in spite of the cookie and the token', async (_name, headers) => {
    const fields = { form_token: formToken };
    expect(formToken).toHaveLength(43);
    expect(await answers(changing(), headers as Record<string, string>, fields)).toEqual(
      all(changing(), 403),
    );
  });

  it('refuses a form without the token of its session', async () => {
    const forms = changing().filter(({ url }) => !beforeSession.includes(url) && !url.startsWith('/board/'));
    expect(await answers(forms, { origin })).toEqual(all(forms, 403));
  });
});

describe('the admin API', () => {
  it('takes no cookie at any of its routes', async () => {
    const api = routes.filter(({ url, method }) => url.startsWith('/admin/') && method !== 'OPTIONS');
    expect(api.length).toBeGreaterThan(20);
    expect(
      await answers(
        api.filter(({ method }) => method !== 'GET' && method !== 'HEAD'),
        { origin },
      ),
    ).toEqual(
      all(
        api.filter(({ method }) => method !== 'GET' && method !== 'HEAD'),
        401,
      ),
    );
  });
});

describe('every page', () => {
  it('cannot be framed, is not kept, and may be sent to by no other site', async () => {
    const pages = routes.filter(
      ({ method, url }) => method === 'GET' && !/^\/(assets|board|healthz|readyz|metrics)|events$/.test(url),
    );
    for (const { url } of pages) {
      const path = url.replaceAll(/:\w+/g, 'acme');
      const { headers } = await operator.get(path);
      expect([path, headers.get('cache-control')]).toEqual([path, 'no-store']);
      const policy = headers.get('content-security-policy') ?? '';
      expect([path, policy]).toEqual([path, expect.stringContaining("frame-ancestors 'none'") as string]);
      expect([path, policy]).toEqual([path, expect.not.stringContaining('unsafe') as string]);
      expect(headers.get('referrer-policy')).toBe('same-origin');
    }
  });
});
