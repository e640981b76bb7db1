import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { adminToken } from '../start-world.ts';
import { newVisitor } from './visitor.ts';
import { origin, startConsole, startConsoleForTest, type Console } from './start-console.ts';

let console: Console;

beforeAll(async () => {
  console = await startConsole();
});

afterAll(() => console.close());

beforeEach(() => {
  console.lines.length = 0;
});

describe('signing in', () => {
  it('with the admin token opens the overview and the board', async () => {
    const answer = await console.signIn(adminToken);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/']);
    const headers = { cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '' };
    for (const path of ['/', '/board'])
      await expect
        .poll(async () => (await console.request(path, { headers })).status, { timeout: 10_000 })
        .toBe(200);
  });

  it('sets a cookie that neither scripts nor other sites get at, and that goes over https alone', async () => {
    const answer = await console.signIn(adminToken);
    const [, ...attributes] = (answer.headers.get('set-cookie') ?? '').split('; ');
    expect(attributes.sort()).toEqual(['HttpOnly', 'Path=/', 'SameSite=Strict', 'Secure']);
  });

  it('works over plain http where the console has an http address', async () => {
    const local = 'http://127.0.0.1:8090';
    const plain = await startConsoleForTest({ CONSOLE_URL: local });
    const answer = await plain.signIn(adminToken, { origin: local });
    expect(answer.headers.get('set-cookie')).not.toContain('Secure');
  });

  it('with another token is refused, on the page, and leaves a line in the log', async () => {
    const answer = await console.signIn('not-the-admin-token-at-all');
    expect(answer.status).toBe(401);
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(await answer.text()).toContain('That is not the admin token.');
    expect(console.lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toContain(
      'sign-in refused',
    );
  });

  it('writes no token into the log', async () => {
    await console.signIn('not-the-admin-token-at-all');
    await console.signIn(adminToken);
    expect(console.lines.join('\n')).not.toMatch(/admin-token/);
  });

  it.each([
    ['without a token', new URLSearchParams()],
    ['with JSON', JSON.stringify({ token: adminToken })],
    ['with an endless form', new URLSearchParams({ token: 'x'.repeat(5_000) })],
  ])('%s is refused', async (_name, body) => {
    const answer = await console.request('/sign-in', { method: 'POST', headers: { origin }, body });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(answer.headers.get('set-cookie')).toBeNull();
  });

  it.each([
    ['another origin', { origin: 'https://evil.example.com' }],
    ['another port', { origin: `${origin}:8443` }],
    ['no origin that a browser tells', { origin: 'null' }],
    ['nowhere', {}],
  ])('from %s is refused: nobody is signed in by a foreign page', async (_name, headers) => {
    const answer = await console.signIn(adminToken, headers);
    expect(answer.status).toBe(403);
    expect(answer.headers.get('set-cookie')).toBeNull();
  });
});

describe('guesses of the admin token', () => {
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

  it('on the sign-in page had no limit: ten wrong ones make the address wait, and the right one still opens', async () => {
    const guessed = await startConsoleForTest();
    for (let count = 0; count < 10; count += 1)
      expect((await guessed.signIn(`wrong-${count}`)).status).toBe(401);
    const answer = await guessed.signIn('wrong-10');
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await answer.text()).toContain('Too many wrong tokens came from your address.');
    expect((await guessed.signIn(adminToken)).status).toBe(303);
  });

  it('on the board had no limit: ten wrong ones make the address wait, and the right one still opens', async () => {
    const guessed = await startConsoleForTest();
    for (let count = 0; count < 10; count += 1)
      expect((await guessed.request('/board', bearer(`wrong-${count}`))).status).toBe(401);
    const answer = await guessed.request('/board', bearer('wrong-10'));
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await guessed.request('/board', bearer(adminToken))).status).toBe(200);
  });

  it('count together at whichever door, and shut out nobody who presents none or has a session', async () => {
    const guessed = await startConsoleForTest();
    const headers = await guessed.session();
    for (let count = 0; count < 5; count += 1) {
      await guessed.signIn(`wrong-${count}`);
      await guessed.request('/board', bearer(`wrong-${count}`));
    }
    const wrong = bearer('wrong-10');
    expect((await guessed.request('/admin/agents', wrong)).status).toBe(429);
    expect((await guessed.request('/board', wrong)).status).toBe(429);
    expect((await guessed.signIn('wrong-10')).status).toBe(429);
    expect((await guessed.request('/board/api/queues')).status).toBe(401);
    expect((await guessed.request('/board', { headers })).status).toBe(200);
  });
});

describe('signing out', () => {
  it('takes the cookie away', async () => {
    const operator = newVisitor(console.url, origin);
    await operator.submit((await operator.get('/sign-in')).page, '/sign-in', { token: adminToken });
    const { page } = await operator.get('/sign-out');
    const { status, to, headers } = await operator.submit(page, '/sign-out');
    expect([status, to]).toEqual([303, '/sign-in']);
    expect(headers.get('set-cookie')).toMatch(/^connectors_console=; .*Expires=Thu, 01 Jan 1970/);
  });

  it('from another origin is refused', async () => {
    const headers = { origin: 'https://evil.example.com' };
    const answer = await console.request('/sign-out', { method: 'POST', headers });
    expect(answer.status).toBe(403);
    expect(answer.headers.get('set-cookie')).toBeNull();
  });

  it('takes a click: a link to it changes nothing', async () => {
    const answer = await console.request('/sign-out');
    expect(await answer.text()).toContain('<form method="post" action="/sign-out">');
    expect(answer.headers.get('set-cookie')).toBeNull();
  });
});
