import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AdminSessions } from '../../src/console/session.ts';
import { Secret } from '@connectors/vault-core';
import { adminToken } from '../start-world.ts';
import { origin, startConsole, type Console } from './start-console.ts';

let readOnly: Console;
let writable: Console;

beforeAll(async () => {
  readOnly = await startConsole();
  writable = await startConsole({ BOARD_WRITABLE: 'on' });
});

afterAll(async () => {
  await readOnly.close();
  await writable.close();
});

const bearer = { authorization: `Bearer ${adminToken}` };
const browser = { accept: 'text/html,application/xhtml+xml' };

describe('the board, for somebody who is not signed in', () => {
  it('sends a browser to the sign-in page', async () => {
    for (const path of ['/board', '/board/queue/refresh-github']) {
      const answer = await readOnly.request(path, { headers: browser });
      expect([answer.status, answer.headers.get('location')]).toEqual([302, '/sign-in']);
    }
  });

  it.each(['/board/api/queues', '/board/api/redis/stats', '/board/static/favicon.ico'])(
    'answers 401 to everything else: %s',
    async (path) => {
      const answer = await readOnly.request(path);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer /);
      expect(await answer.json()).toMatchObject({ status: 401, title: 'Unauthorized' });
    },
  );

  it.each([
    ['forged', `connectors_console=${Date.now() + 3_600_000}.c2lnbmF0dXJl`],
    ['expired', `connectors_console=${new AdminSessions(new Secret(adminToken), () => 0).open()}`],
    ['broken', 'connectors_console=%'],
  ])('takes no %s cookie', async (_name, cookie) => {
    expect((await readOnly.request('/board/api/queues', { headers: { cookie } })).status).toBe(401);
  });

  it('takes no wrong token, and no good cookie beside it', async () => {
    const headers = { ...(await readOnly.session()), ...browser, authorization: 'Bearer wrong' };
    expect((await readOnly.request('/board/api/queues', { headers })).status).toBe(401);
  });
});

describe('the board, for the operator', () => {
  it('shows jobs to a browser with a session', async () => {
    await readOnly.schedule('acme');
    const answer = await readOnly.request('/board/api/queues?activeQueue=refresh-github&status=delayed', {
      headers: await readOnly.session(),
    });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('"tenantId":"acme"');
  });

  it('shows them to a script with the admin token', async () => {
    expect((await readOnly.request('/board/api/queues', { headers: bearer })).status).toBe(200);
  });

  it('says at once that Redis is away', async () => {
    const other = await startConsole();
    await other.redisServer.close();
    await expect
      .poll(async () => (await other.request('/board/api/queues', { headers: bearer })).status)
      .toBe(503);
    expect((await other.request('/board', { headers: bearer })).status).toBe(200);
    await other.close();
  });
});

describe('a change on the board', () => {
  it('is refused while the board is read-only', async () => {
    const { path, find } = await readOnly.schedule('acme');
    const headers = { ...(await readOnly.session()), origin };
    const answer = await readOnly.request(`${path}/clean`, { method: 'PUT', headers });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({
      detail: expect.stringContaining('BOARD_WRITABLE=on') as string,
    });
    expect(await find()).toBeDefined();
  });

  it('is made when the operator has switched it on', async () => {
    const { path, find } = await writable.schedule('acme');
    const headers = { ...(await writable.session()), origin };
    const answer = await writable.request(`${path}/clean`, { method: 'PUT', headers });
    expect(answer.status).toBeLessThan(300);
    expect(await find()).toBeUndefined();
  });

  it('is made for a script with the admin token, which has no origin', async () => {
    const { path, find } = await writable.schedule('acme');
    expect((await writable.request(`${path}/clean`, { method: 'PUT', headers: bearer })).status).toBeLessThan(
      300,
    );
    expect(await find()).toBeUndefined();
  });

  const changes = [
    ['PUT', '/clean'],
    ['PUT', '/promote'],
    ['PATCH', '/update-data'],
  ] as const;

  it.each(changes)(
    'from another origin is refused, in spite of the cookie: %s …%s',
    async (method, action) => {
      const { path, find } = await writable.schedule('acme');
      const session = await writable.session();
      for (const stated of [{ origin: 'https://evil.example.com' }, { origin: 'null' }, {}]) {
        const headers: Record<string, string> = { ...session, ...stated };
        expect((await writable.request(`${path}${action}`, { method, headers })).status).toBe(403);
      }
      expect(await (await find())?.getState()).toBe('delayed');
    },
  );

  it('from another origin is refused, in spite of the admin token', async () => {
    const { path } = await writable.schedule('acme');
    const headers = { ...bearer, origin: 'https://evil.example.com' };
    expect((await writable.request(`${path}/clean`, { method: 'PUT', headers })).status).toBe(403);
  });

  it('by nobody is refused', async () => {
    const { path, find } = await writable.schedule('acme');
    expect((await writable.request(`${path}/clean`, { method: 'PUT', headers: { origin } })).status).toBe(
      401,
    );
    expect(await find()).toBeDefined();
  });
});
