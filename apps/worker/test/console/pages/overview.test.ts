import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { adminToken, startWorld, type World } from '../../start-world.ts';
import { startConsole, startConsoleForTest, type Console } from '../start-console.ts';
import { startAdmin } from '../admin/start-admin.ts';

const browser = { accept: 'text/html' };
const bearer = { ...browser, authorization: `Bearer ${adminToken}` };

/** The texts of the cells of a page, row by row. */
function rowsOf(page: string): string[][] {
  return [...page.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row = '']) =>
    [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell = '']) =>
      cell
        .replaceAll(/<br \/>/g, ' ')
        .replaceAll(/<[^>]*>/g, '')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    ),
  );
}

describe('the overview', () => {
  let console: Console;

  beforeAll(async () => {
    console = await startConsole({ SLACK_CLIENT_ID: 'slack-client' });
    await vi.waitUntil(async () => (await console.request('/', { headers: bearer })).status === 200, 10_000);
  });

  afterAll(() => console.close());

  const page = async () => (await console.request('/', { headers: bearer })).text();

  it('is for who is signed in', async () => {
    const answer = await console.request('/', { headers: browser });
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/sign-in']);
    const signedIn = await console.request('/', { headers: await console.session() });
    expect(signedIn.status).toBe(200);
    expect(signedIn.headers.get('content-type')).toBe('text/html; charset=utf-8');
  });

  it('leads to the board', async () => {
    expect(await page()).toContain('href="/board"');
  });

  it('counts the jobs of each integration by state', async () => {
    await console.schedule('acme');
    await console.schedule('umbrella');
    const rows = rowsOf(await page());
    expect(rows).toContainEqual(['github', '0', '0', '2', '0']);
    expect(rows).toContainEqual(['slack', '0', '0', '0', '0']);
  });

  it('tells which provider has asked for time', async () => {
    await console.queues.throttle('slack', 90_000);
    const names = rowsOf(await page()).map(([name]) => name);
    expect(names).toContainEqual(expect.stringMatching(/^slack throttled for (90|8\d) s$/));
  });

  it('shows what lies in the spool: whose it is and since when, and of an entry of another kind that it is there', async () => {
    const since = '2025-11-08T12:00:00.000Z';
    const entry = JSON.stringify({ key: 'k', nonce: 'n', sealed: 'canary', tag: 't', since });
    await console.redis.hset('connectors:spool', 'acme/github/r1', entry, 'umbrella/github/r2', 'broken');
    const text = await page();
    expect(text).toContain('Spool: 2');
    expect(text).not.toContain('canary');
    expect(rowsOf(text)).toEqual(
      expect.arrayContaining([
        ['acme', 'github', 'r1', '2025-11-08 12:00 UTC'],
        ['umbrella', 'github', 'r2', 'unknown'],
      ]),
    );
    await console.redis.del('connectors:spool');
    expect(await page()).toContain('Spool: 0');
  });

  it('takes nothing in Redis for HTML', async () => {
    await console.redis.hset('connectors:spool', '<script>/github/r1', '{}');
    expect(await page()).not.toContain('<script>');
    await console.redis.del('connectors:spool');
  });

  it('says so when Redis is away', async () => {
    const { request, redisServer } = await startConsoleForTest({});
    await redisServer.close();
    await vi.waitUntil(async () => (await request('/', { headers: bearer })).status === 503, 10_000);
    expect(await (await request('/', { headers: bearer })).text()).toContain('Redis does not answer.');
  });
});

describe('the overview of a worker', () => {
  let world: World;

  beforeAll(async () => {
    world = await startWorld();
  });

  afterAll(() => world.close());

  it('names whose user has to connect again, and why', async () => {
    const worker = await startAdmin(world);
    const meets = { kind: 'status', status: 400, body: { error: 'invalid_grant' } } as const;
    await world.jobAs('failed', await world.connect({ tenantId: 'acme', integration: 'demo' }, { meets }));
    const page = () => fetch(`${worker.url}/`, { headers: bearer }).then((answer) => answer.text());
    await vi.waitFor(
      async () =>
        expect(rowsOf(await page())).toContainEqual([
          'acme',
          'demo',
          'Needs reconnect invalid_grant: its user has to reconnect',
          expect.stringMatching(/UTC$/) as string,
        ]),
      10_000,
    );
    await worker.close();
  });

  it('names whose refresh fails, and does not say beside it that all is in order', async () => {
    const worker = await startAdmin(world);
    const meets = { kind: 'status', status: 401, body: { error: 'invalid_client' } } as const;
    await world.connect({ tenantId: 'umbrella', integration: 'demo' }, { meets, times: 100 });
    const page = () => fetch(`${worker.url}/`, { headers: bearer }).then((answer) => answer.text());
    await vi.waitFor(
      async () =>
        expect(rowsOf(await page())).toContainEqual([
          'umbrella',
          'demo',
          expect.stringMatching(/^Refresh fails invalid_client: /) as string,
          expect.any(String) as string,
        ]),
      10_000,
    );
    expect(await page()).not.toContain('every connection is in order');
    await worker.close();
  });
});
