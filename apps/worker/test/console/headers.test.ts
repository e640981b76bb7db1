import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pagePolicy } from '../../src/console/headers.ts';
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

describe('a page of our own', () => {
  it.each(['/', '/sign-in', '/sign-out'])(
    'takes scripts and styles from the console alone, none inline, and sends its forms nowhere else: %s',
    async (path) => {
      expect(await policy(path)).toMatchObject({
        'script-src': "'self'",
        'style-src': "'self'",
        'form-action': "'self'",
      });
      const page = await (await get(path)).text();
      expect(page).not.toMatch(/<style|<script(?![^>]*src=)|\bstyle=|\bon\w+=/);
    },
  );

  it('may name where its form leads besides', () => {
    expect(pagePolicy('https://provider.example.com')).toContain(
      "; form-action 'self' https://provider.example.com;",
    );
  });

  it('has files that a browser may keep for good, under names that change with their content', async () => {
    const page = await (await get('/sign-in')).text();
    const files = [...page.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path = '']) => path);
    expect(files).toHaveLength(3);
    for (const file of files) {
      const { status, headers } = await console.request(file);
      expect(status).toBe(200);
      expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
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
