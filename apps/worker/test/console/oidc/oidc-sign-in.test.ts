import { browseAs, startAuthorizationServer } from '@connectors/dev-servers';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { origin, startConsole, startConsoleForTest, type Console } from '../start-console.ts';
import { startIssuer } from './start-issuer.ts';

const settings = (issuer: string, allow: string) => ({
  ADMIN_OIDC_ISSUER: issuer,
  ADMIN_OIDC_CLIENT_ID: 'console',
  ADMIN_OIDC_CLIENT_SECRET: 'the-client-secret-of-the-console',
  ADMIN_OIDC_ALLOW: allow,
  EGRESS_ALLOW_HOSTS: '127.0.0.1',
});

/** Begins a sign-in: where the browser is sent, and the cookie that it gets. */
async function begin(console: Console) {
  const answer = await console.request('/sign-in/oidc');
  expect(answer.status).toBe(303);
  const [setCookie = ''] = answer.headers.getSetCookie();
  const url = new URL(answer.headers.get('location') ?? '');
  return { url, setCookie, cookie: setCookie.split(';')[0] ?? '', parameters: url.searchParams };
}

const comeBack = (console: Console, query: Record<string, string>, cookie: string) =>
  console.request(`/sign-in/callback?${new URLSearchParams(query).toString()}`, { headers: { cookie } });

const sessionOf = (answer: Response) =>
  answer.headers
    .getSetCookie()
    .find((cookie) => cookie.startsWith('connectors_console='))
    ?.split(';')[0];

describe('an operator with an account at an issuer', () => {
  const redirectUri = `${origin}/sign-in/callback`;

  async function signInAs(login: string, allow: string) {
    const issuer = await startAuthorizationServer({
      clients: [
        {
          clientId: 'console',
          clientSecret: 'the-client-secret-of-the-console',
          redirectUris: [redirectUri],
        },
      ],
      scopes: ['email', 'profile'],
      claims: (name) => ({
        email: `${name}@example.com`,
        email_verified: name !== 'mallory',
        groups: name === 'alice' ? ['ops', 'all'] : ['all'],
      }),
    });
    onTestFinished(() => issuer.close());
    const console = await startConsoleForTest(settings(issuer.issuer, allow));
    const { url, cookie } = await begin(console);
    const callback = await browseAs(url, { login, until: redirectUri });
    const answer = await console.request(`${callback.pathname}${callback.search}`, { headers: { cookie } });
    return { console, answer, page: await answer.text() };
  }

  it('is offered the issuer on the sign-in page', async () => {
    const console = await startConsoleForTest(settings('https://login.example.com/', 'sub=alice'));
    const page = await (await console.request('/sign-in')).text();
    expect(page).toContain('Continue with login.example.com');
  });

  it.each(['sub=alice', 'groups=ops', 'sub=somebody, email=alice@example.com'])(
    'is signed in with real consent, allowed by %s',
    async (allow) => {
      const { console, answer } = await signInAs('alice', allow);
      expect(answer.status).toBe(200);
      const overview = await console.request('/', { headers: { cookie: sessionOf(answer) ?? '' } });
      await expect
        .poll(
          async () => (await console.request('/', { headers: { cookie: sessionOf(answer) ?? '' } })).status,
        )
        .toBe(200);
      expect(overview.headers.get('location')).toBeNull();
      expect(console.lines.join('')).toContain('"msg":"signed in"');
    },
  );

  it('gets a session that other sites cannot use, and is led on by the page itself', async () => {
    const { answer, page } = await signInAs('alice', 'sub=alice');
    const session = answer.headers.getSetCookie().find((cookie) => cookie.startsWith('connectors_console='));
    expect(session?.split('; ').slice(1).sort()).toEqual(['HttpOnly', 'Path=/', 'SameSite=Strict', 'Secure']);
    // To a redirect, which the issuer began, the browser would not add the cookie.
    expect(page).toContain('<meta http-equiv="refresh" content="0; url=/" />');
  });

  it.each([
    ['another subject', 'bob', 'sub=alice'],
    ['a group that is not theirs', 'bob', 'groups=ops'],
    ['an address that the issuer has not verified', 'mallory', 'email=mallory@example.com'],
  ])('with %s is not an operator', async (_name, login, allow) => {
    const { console, answer, page } = await signInAs(login, allow);
    expect([answer.status, sessionOf(answer)]).toEqual([403, undefined]);
    expect(page).toContain('This account is not an operator');
    expect(console.lines.join('')).toContain('no claim allows it');
  });
});

describe('an answer of the issuer', () => {
  let issuer: Awaited<ReturnType<typeof startIssuer>>;
  let console: Console;

  beforeAll(async () => {
    issuer = await startIssuer();
    console = await startConsole(settings(issuer.url, 'sub=alice'));
  });

  afterAll(async () => {
    await console.close();
    await issuer.close();
  });

  beforeEach(() => {
    Object.assign(issuer.state, { claims: {}, isSignedByAnother: false, tokenRequests: 0 });
    console.lines.length = 0;
  });

  /** What the issuer sends back in good faith. */
  const goodQuery = ({ parameters }: Awaited<ReturnType<typeof begin>>) => ({
    code: 'any',
    state: parameters.get('state') ?? '',
  });

  const nonceOf = ({ parameters }: Awaited<ReturnType<typeof begin>>) => ({
    nonce: parameters.get('nonce') ?? '',
  });

  it('that is sound signs in', async () => {
    const attempt = await begin(console);
    issuer.state.claims = nonceOf(attempt);
    const answer = await comeBack(console, goodQuery(attempt), attempt.cookie);
    expect(answer.status).toBe(200);
    expect(sessionOf(answer)).toBeDefined();
  });

  it('is asked for with state, nonce and a PKCE challenge that are new each time', async () => {
    const [first, second] = [await begin(console), await begin(console)];
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(first.parameters.get(name)?.length).toBeGreaterThan(40);
      expect(first.parameters.get(name)).not.toBe(second.parameters.get(name));
    }
    expect(first.parameters.get('code_challenge_method')).toBe('S256');
    expect(first.setCookie).not.toContain(first.parameters.get('state') ?? '');
  });

  it('is bound to a cookie that scripts do not get at, which ends with it', async () => {
    const attempt = await begin(console);
    expect(attempt.setCookie.split('; ').slice(1)).toEqual(
      expect.arrayContaining(['HttpOnly', 'Secure', 'SameSite=Lax', 'Max-Age=600']),
    );
    issuer.state.claims = nonceOf(attempt);
    const answer = await comeBack(console, goodQuery(attempt), attempt.cookie);
    expect(answer.headers.getSetCookie().join()).toMatch(/connectors_sign_in=;.*Expires=Thu, 01 Jan 1970/);
  });

  type Attempt = Awaited<ReturnType<typeof begin>>;

  it.each<[string, (earlier: Attempt) => object]>([
    ['for another audience', () => ({ aud: 'another-client' })],
    ['for several audiences, made out for another', () => ({ aud: ['console', 'other'], azp: 'other' })],
    ['of another issuer', () => ({ iss: 'https://evil.example.com' })],
    ['that has expired', () => ({ exp: 1_000 })],
    ['with the nonce of an earlier sign-in', nonceOf],
    ['without a nonce', () => ({ nonce: undefined })],
    ['with a foreign signature', () => ({})],
  ])('%s is refused', async (name, forge) => {
    const [earlier, attempt] = [await begin(console), await begin(console)];
    issuer.state.claims = { ...nonceOf(attempt), ...forge(earlier) };
    issuer.state.isSignedByAnother = name.endsWith('signature');
    const answer = await comeBack(console, goodQuery(attempt), attempt.cookie);
    expect([answer.status, sessionOf(answer)]).toEqual([400, undefined]);
    expect(await answer.text()).toContain('The sign-in could not be verified');
    expect(issuer.state.tokenRequests).toBe(1);
  });

  it('to another browser is refused before anything is asked', async () => {
    const [victim, attacker] = [await begin(console), await begin(console)];
    issuer.state.claims = nonceOf(attacker);
    const answer = await comeBack(console, goodQuery(attacker), victim.cookie);
    expect([answer.status, sessionOf(answer)]).toEqual([400, undefined]);
    expect(issuer.state.tokenRequests).toBe(0);
  });

  it.each([
    ['no cookie', ''],
    ['a forged cookie', 'connectors_sign_in=AAAA.9999999999999.AAAA'],
  ])('to a browser with %s is refused: nobody is signed in by a link', async (_name, cookie) => {
    const attacker = await begin(console);
    const answer = await comeBack(console, goodQuery(attacker), cookie);
    expect([answer.status, sessionOf(answer)]).toEqual([400, undefined]);
    expect(await answer.text()).toContain('This sign-in is not known here');
    expect(issuer.state.tokenRequests).toBe(0);
  });

  it('that says no is told as that, and its words are shown to nobody', async () => {
    const attempt = await begin(console);
    const query = {
      error: 'access_denied',
      error_description: '<b>words</b>',
      state: goodQuery(attempt).state,
    };
    const answer = await comeBack(console, query, attempt.cookie);
    expect([answer.status, sessionOf(answer)]).toEqual([403, undefined]);
    expect(await answer.text()).not.toContain('words');
    expect(console.lines.join('')).toContain('"reason":"access_denied"');
  });

  it.each(['server_error', 'temporarily_unavailable'])(
    'that says it cannot answer now is no refusal of the user: %s',
    async (error) => {
      const attempt = await begin(console);
      const query = { error, state: goodQuery(attempt).state };
      const answer = await comeBack(console, query, attempt.cookie);
      expect([answer.status, sessionOf(answer)]).toEqual([503, undefined]);
    },
  );

  it('whose code cannot be redeemed, because nobody answers, is told as that', async () => {
    const gone = await startIssuer();
    const other = await startConsoleForTest(settings(gone.url, 'sub=alice'));
    const attempt = await begin(other);
    await gone.close();
    const answer = await comeBack(other, goodQuery(attempt), attempt.cookie);
    expect([answer.status, sessionOf(answer)]).toEqual([503, undefined]);
    expect(await answer.text()).toContain('The sign-in service does not answer');
  });

  it('leaves a session that the browser was given beforehand worth nothing', async () => {
    const attempt = await begin(console);
    issuer.state.claims = nonceOf(attempt);
    const planted = 'connectors_console=9999999999999.planted';
    const answer = await comeBack(console, goodQuery(attempt), `${attempt.cookie}; ${planted}`);
    expect(sessionOf(answer)).not.toBe(planted);
    expect((await console.request('/board/api/queues', { headers: { cookie: planted } })).status).toBe(401);
  });

  it('puts no secret into the log', async () => {
    const attempt = await begin(console);
    await comeBack(console, { ...goodQuery(attempt), code: 'code-canary' }, attempt.cookie);
    expect(console.lines.length).toBeGreaterThan(0);
    expect(console.lines.join('')).not.toMatch(/code-canary|the-client-secret|the-admin-token/);
  });
});

describe('an issuer', () => {
  it('that does not answer is named as the reason, and the admin token still signs in', async () => {
    const console = await startConsoleForTest(settings('http://127.0.0.1:1', 'sub=alice'));
    const answer = await console.request('/sign-in/oidc');
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('or sign in with the admin token');
    expect(console.lines.join('')).toContain('"reason":"connection_refused"');
  });

  it('at a private address is not asked, unless that is allowed by name', async () => {
    const console = await startConsoleForTest({
      ...settings('https://127.0.0.1:1', 'sub=alice'),
      EGRESS_ALLOW_HOSTS: 'login.example.com',
    });
    expect((await console.request('/sign-in/oidc')).status).toBe(503);
    expect(console.lines.join('')).toContain('"reason":"egress_refused"');
  });
});
