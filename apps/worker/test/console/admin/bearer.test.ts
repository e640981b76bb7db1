import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminToken } from '../../start-world.ts';
import { origin, startConsole, startConsoleForTest, type Console } from '../start-console.ts';

const path = '/admin/tenants/acme/webhooks';
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

let console: Console;

beforeAll(async () => {
  console = await startConsole();
});

afterAll(() => console.close());

describe('the admin API', () => {
  it('is not there without a console', async () => {
    const { request } = await startConsoleForTest({ CONSOLE: 'off' });
    expect((await request(path, bearer(adminToken))).status).toBe(404);
  });

  it('lets the admin token through', async () => {
    // Vault is away: that is found out behind the door.
    expect((await console.request(path, bearer(adminToken))).status).toBe(503);
  });

  it.each([
    ['nobody', {}],
    ['another token', bearer('not-the-admin-token-at-all')],
    ['the token in another scheme', { headers: { authorization: `Basic ${adminToken}` } }],
    ['an empty token', { headers: { authorization: 'Bearer ' } }],
  ])('refuses %s', async (_who, init) => {
    const answer = await console.request(path, init);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer /);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  });

  it('takes no session of a browser, not even with the origin of the console', async () => {
    const headers = { ...(await console.session()), origin };
    expect((await console.request(path, { headers })).status).toBe(401);
  });

  it('writes no token that is presented into the log', async () => {
    await console.request(path, bearer('canary-token-of-this-test'));
    expect(console.lines.join('\n')).toContain('admin token refused');
    expect(console.lines.join('\n')).not.toMatch(/canary-token|the-admin-token/);
  });

  it('is told to nobody to be kept', async () => {
    const { headers } = await console.request(path, bearer(adminToken));
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  it('lets an address that presents ten wrong tokens wait before it presents another', async () => {
    const { request } = await startConsoleForTest({});
    for (let count = 0; count < 10; count += 1)
      expect((await request(path, bearer(`wrong-${count}`))).status).toBe(401);
    const answer = await request(path, bearer('wrong-10'));
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(60);
  });

  it('locks no operator out by the wrong tokens of another, who may share an address behind an ingress', async () => {
    const { request } = await startConsoleForTest({});
    for (let count = 0; count < 12; count += 1) await request(path, bearer(`wrong-${count}`));
    expect((await request(path, bearer(adminToken))).status).toBe(503);
  });

  it('does not count who presents none', async () => {
    const { request } = await startConsoleForTest({});
    for (let count = 0; count < 12; count += 1) await request(path);
    expect((await request(path, bearer(adminToken))).status).toBe(503);
  });
});
