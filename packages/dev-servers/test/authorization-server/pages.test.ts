import { expect, test } from 'vitest';
import { startServer } from './client.ts';

const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

test('a person who says no is sent back with access_denied', async () => {
  const server = await startServer();
  const page = await openLoginPage(server.authorizationEndpoint);
  const denied = await post(page, 'deny=');
  expect(denied.headers.get('location')).toMatch(/^http:\/\/127\.0\.0\.1\/callback\?.*error=access_denied/);
});

test('the consent page names the client, the account and the scopes, and shows none of them as HTML', async () => {
  const server = await startServer();
  const page = await openLoginPage(server.authorizationEndpoint);
  const consent = await post(page, 'login=<b>ann</b>');
  const html = await consent.text();
  expect(html).toContain('Allow connectors?');
  expect(html).toContain('<li>api:read</li>');
  expect(html).not.toContain('<b>');
});

test("another browser's page is an error", async () => {
  const server = await startServer();
  const page = await openLoginPage(server.authorizationEndpoint);
  const response = await fetch(page.url);
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('expired');
});

interface Page {
  url: URL;
  cookies: Map<string, string>;
}

async function openLoginPage(authorizationEndpoint: string): Promise<Page> {
  const start = new URL(authorizationEndpoint);
  start.search = `client_id=connectors&response_type=code&scope=api:read&redirect_uri=http://127.0.0.1/callback&code_challenge=${challenge}&code_challenge_method=S256`;
  const page: Page = { url: start, cookies: new Map() };
  const response = await request(page, start);
  return { ...page, url: new URL(response.headers.get('location') ?? '', start) };
}

/** Posts the form and follows redirects as far as they stay on the server. */
async function post(page: Page, body: string): Promise<Response> {
  const form = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body };
  let response = await request(page, page.url, form);
  for (let hop = 0; hop < 5; hop++) {
    const next = new URL(response.headers.get('location') ?? 'about:blank', page.url);
    if (next.origin !== page.url.origin) return response;
    response = await request(page, next);
  }
  return response;
}

async function request({ cookies }: Page, url: URL, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
  const response = await fetch(url, { ...init, headers, redirect: 'manual' });
  for (const cookie of response.headers.getSetCookie()) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
    cookies.set(name, value);
  }
  return response;
}
