import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminToken } from '../start-world.ts';
import { startConsole, type Console } from './start-console.ts';

let console: Console;

beforeAll(async () => {
  console = await startConsole();
});

afterAll(() => console.close());

function get(path: string) {
  return console.request(path, { headers: { authorization: `Bearer ${adminToken}` } });
}

/** The directives of the answer's content security policy. */
async function policy(path: string): Promise<Record<string, string>> {
  const text = (await get(path)).headers.get('content-security-policy') ?? '';
  return Object.fromEntries(
    text.split('; ').map((directive) => {
      const [name = '', ...sources] = directive.split(' ');
      return [name, sources.join(' ')];
    }),
  );
}

const pages = [
  '/',
  '/admin/tenants/acme/webhooks',
  '/sign-in',
  '/sign-out',
  '/board',
  '/board/queue/refresh-github',
  '/board/api/queues',
];

describe('every page of the console', () => {
  it.each(pages)('is not kept, not sniffed and not framed: %s', async (path) => {
    const { headers } = await get(path);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(await policy(path)).toMatchObject({ 'default-src': "'none'", 'frame-ancestors': "'none'" });
  });

  it('has them in a refusal as well', async () => {
    const { status, headers } = await console.request('/board/api/queues');
    expect([status, headers.get('cache-control')]).toEqual([401, 'no-store']);
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  });
});

describe('the sign-in page', () => {
  it('runs no script and sends its form nowhere else', async () => {
    const directives = await policy('/sign-in');
    expect(directives['script-src']).toBeUndefined();
    expect(directives['form-action']).toBe("'self'");
  });
});

describe('the board', () => {
  it('runs its own scripts alone, none of them inline', async () => {
    expect(await policy('/board')).toMatchObject({ 'script-src': "'self'", 'connect-src': "'self'" });
    const html = await (await get('/board')).text();
    const inline = [...html.matchAll(/<script(?![^>]*\bsrc=)([^>]*)>/g)].map(([, attributes]) => attributes);
    expect(inline).toEqual([' id="__UI_CONFIG__" type="application/json"']);
  });

  it('asks no other host for anything', async () => {
    expect(await (await get('/board')).text()).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });

  it('lets the browser keep its scripts', async () => {
    const html = await (await get('/board')).text();
    const script = /src="(static\/js\/main[^"]+)"/.exec(html)?.[1];
    const { status, headers } = await get(`/board/${script}`);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).not.toContain('no-store');
  });
});
