import { describe, expect, it } from 'vitest';
import { adminToken } from '../start-world.ts';
import { startConsoleForTest } from './start-console.ts';

describe('a worker with CONSOLE=off', () => {
  it('serves health and metrics, nothing else', async () => {
    const { request } = await startConsoleForTest({ CONSOLE: 'off' });
    const headers = { authorization: `Bearer ${adminToken}` };
    const statusOf = async (path: string) => (await request(path, { headers })).status;
    expect(await statusOf('/healthz')).toBe(200);
    expect(await statusOf('/metrics')).toBe(200);
    expect(await statusOf('/readyz')).toBe(503);
    for (const path of [
      '/',
      '/admin/tenants/acme/webhooks',
      '/sign-in',
      '/sign-out',
      '/board',
      '/board/api/queues',
    ])
      expect(await statusOf(path)).toBe(404);
  });
});

describe('the console', () => {
  it('answers an address that it does not have with a problem', async () => {
    const { request } = await startConsoleForTest({});
    const answer = await request('/nothing');
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(await answer.json()).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      code: 'not_found',
      detail: 'There is nothing here.',
    });
  });

  it.each([
    [
      'that cannot be decoded',
      '/admin/tenants/%zz',
      { detail: 'The URL is malformed, or an id in it is too long.' },
    ],
    ['with an id without end', `/admin/tenants/${'a'.repeat(1_001)}`, { code: 'invalid_request' }],
    [
      'with an id that is too long',
      `/admin/tenants/${'a'.repeat(150)}`,
      { detail: expect.stringMatching(/^tenantId: must be 1 to 64/) as string },
    ],
  ])('answers an address %s with a problem, which were of the web framework', async (_what, path, body) => {
    const { request } = await startConsoleForTest({});
    const answer = await request(path, { headers: { authorization: `Bearer ${adminToken}` } });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await answer.json()).toMatchObject({ status: 400, ...body });
  });

  it('answers it with a page where a browser asks, under the policy of all pages', async () => {
    const { request } = await startConsoleForTest({});
    const answer = await request('/nothing', { headers: { accept: 'text/html' } });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
    expect(answer.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(await answer.text()).toContain('<h1>There is nothing here</h1>');
  });

  it('needs no sign-in for health and metrics, which say nothing of tenants', async () => {
    const { request } = await startConsoleForTest({});
    expect((await request('/healthz')).status).toBe(200);
    expect((await request('/metrics')).status).toBe(200);
  });
});
