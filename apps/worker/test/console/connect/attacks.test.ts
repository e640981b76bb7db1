import { createHash } from 'node:crypto';
import { startAuthorizationServer, type RunningAuthorizationServer } from '@connectors/dev-servers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { consent, consoleUrl, startConnect, type Connect } from './start-connect.ts';

const app = 'https://app.example.com';
const evil = 'https://evil.example.com';
let connect: Connect;
let stranger: RunningAuthorizationServer;

beforeAll(async () => {
  connect = await startConnect(
    {
      second: {},
      plain: { entry: () => ({ pkce: true }) },
      stolen: {
        quirks: { response: { extra: { id_token: idTokenOf('another-nonce') } } },
        entry: () => ({}),
      },
      spoken: {
        quirks: {
          response: {
            extra: {
              team: { id: 'T1', name: '<img src=x onerror=alert(1)>' },
              scope: '<script>alert(2)</script>',
            },
          },
        },
        entry: () => ({
          name: '"><script>alert(3)</script>',
          account: { id: { response: 'team.id' }, name: { response: 'team.name' } },
        }),
      },
    },
    { CONNECT_RETURN_ORIGINS: app },
  );
  stranger = await startAuthorizationServer();
});

afterAll(async () => {
  await stranger.close();
  await connect.close();
});

beforeEach(() => {
  connect.world.events.length = 0;
  connect.world.provider.tokenRequests.length = 0;
});

/** For the client `stolen`. */
function idTokenOf(nonce: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ sub: 'ada', aud: 'stolen', nonce })}.`;
}

const linkTo = (tenantId: string, integration = 'demo', more: object = {}) =>
  connect.link(tenantId, { integration, ...more });

/** A user who has consented, and stands before the callback. */
async function atCallback(tenantId: string, integration = 'demo') {
  const browser = connect.browser();
  const back = await consent(await browser.depart(await linkTo(tenantId, integration)), tenantId);
  return { browser, back };
}

const stored = (tenantId: string) => connect.world.admin.listCredentials(tenantId);
const exchanges = () => connect.world.provider.tokenRequests.length;

describe('a state', () => {
  it('works once: a callback that is replayed finds nothing', async () => {
    const { browser, back } = await atCallback('replay');
    expect((await browser.land(back)).text).toContain('is connected');
    const again = await browser.land(back);
    expect(again.status).toBe(400);
    expect(again.text).toContain('This sign-in is over');
    expect(exchanges()).toBe(1);
  });

  it('works once, also for two at the same moment', async () => {
    const { browser, back } = await atCallback('twice');
    const pages = await Promise.all([browser.open(back.href), browser.open(back.href)]);
    expect(pages.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([303, 400]);
    expect(exchanges()).toBe(1);
  });

  it.each(['made-up', 'A'.repeat(43), '*', '../connect-session'])(
    'that nobody began is not taken: %s',
    async (state) => {
      const { browser, back } = await atCallback('made-up');
      back.searchParams.set('state', state);
      expect((await browser.land(back)).status).toBe(400);
      expect([exchanges(), await stored('made-up')]).toEqual([0, []]);
    },
  );

  it('is not used up by a program that only looks', async () => {
    const { browser, back } = await atCallback('looked-at');
    await browser.open(back.href, { method: 'HEAD' });
    expect((await browser.land(back)).text).toContain('is connected');
  });

  it('expires after ten minutes', async () => {
    await connect.world.redis.flushall();
    await atCallback('late');
    const [key = ''] = await connect.world.redis.keys('connectors:connect-state:*');
    const ttl = await connect.world.redis.ttl(key);
    expect([ttl > 590, ttl <= 600]).toEqual([true, true]);
  });
});

describe('a callback in another browser', () => {
  it.each([
    ['without a session', () => Promise.resolve(connect.browser())],
    [
      'with a session of the same tenant',
      async () => {
        const other = connect.browser();
        await other.enter(await linkTo('swapped'));
        return other;
      },
    ],
    [
      'with a session of another tenant',
      async () => {
        const other = connect.browser();
        await other.enter(await linkTo('umbrella'));
        return other;
      },
    ],
  ])('%s is refused: nobody’s account is connected for somebody else', async (_name, browserOf) => {
    const { back } = await atCallback('swapped');
    const page = await (await browserOf()).land(back);
    expect(page.status).toBe(400);
    expect(page.text).toContain('This began in another browser');
    expect([exchanges(), await stored('swapped'), await stored('umbrella')]).toEqual([0, [], []]);
    await expect
      .poll(() => connect.world.events)
      .toMatchObject([{ type: 'connect-failed', tenantId: 'swapped', error: 'wrong_browser' }]);
  });

  it('is refused to the same browser in a newer session', async () => {
    const { browser, back } = await atCallback('newer');
    await browser.enter(await linkTo('newer'));
    expect((await browser.land(back)).status).toBe(400);
    expect(await stored('newer')).toEqual([]);
  });
});

describe('a code of somebody else', () => {
  it('cannot bring an ID token of another connect: nothing is stored', async () => {
    const page = await connect.browser().connect(await linkTo('stolen', 'stolen'), 'ada');
    expect(page.text).toContain('The answer belongs to another sign-in');
    expect(await stored('stolen')).toEqual([]);
  });

  it('in one’s own flow is not redeemed: the verifier is another', async () => {
    const attacker = await atCallback('injected');
    const victim = await atCallback('victim');
    attacker.back.searchParams.set('code', victim.back.searchParams.get('code') ?? '');
    const page = await attacker.browser.land(attacker.back);
    expect(page.text).toContain('The provider gave no token');
    expect(await stored('injected')).toEqual([]);
  });
});

describe('a mix-up of two providers', () => {
  it('is refused by the issuer that the answer names', async () => {
    const { browser, back } = await atCallback('mixed');
    back.searchParams.set('iss', stranger.issuer);
    expect((await browser.land(back)).text).toContain('The answer came from somewhere else');
    expect([exchanges(), await stored('mixed')]).toEqual([0, []]);
  });

  it('is refused where the issuer is left out though the server always names it', async () => {
    const { browser, back } = await atCallback('mixed');
    back.searchParams.delete('iss');
    expect((await browser.land(back)).text).toContain('The answer came from somewhere else');
    expect(exchanges()).toBe(0);
  });

  it('is refused by the redirect URI: the answer of one integration is none of another', async () => {
    const { browser, back } = await atCallback('mixed', 'plain');
    back.pathname = '/connect/callback/demo';
    back.searchParams.delete('iss');
    const page = await browser.open(back.href);
    expect(page.location).toContain('outcome=wrong_issuer');
    expect([exchanges(), connect.servers['plain']?.tokenRequests]).toEqual([0, []]);
  });
});

describe('an address to go back to', () => {
  it.each([
    evil,
    `//evil.example.com`,
    `${app}@evil.example.com`,
    `${app}\\@evil.example.com`,
    `${app}:8443`,
  ])('is refused when the session is asked for: %s', async (returnUrl) => {
    await expect(linkTo('back', 'demo', { returnUrl })).rejects.toThrow('400 returnUrl');
  });

  it('cannot be put into the callback', async () => {
    const { browser, back } = await atCallback('back');
    for (const name of ['returnUrl', 'return_url', 'redirect_uri', 'next']) back.searchParams.set(name, evil);
    const page = await browser.open(back.href);
    expect(page.location).toMatch(/^\/connect\/back\/demo\/result\?/);
  });

  it('cannot be put into the page that says how it went', async () => {
    const browser = connect.browser();
    await browser.enter(await linkTo('back'));
    const page = await browser.open(`/connect/back/demo/result?outcome=connected&returnUrl=${evil}`);
    expect(page.text).not.toContain('evil');
  });
});

describe('a form from another site', () => {
  const origins: [string, Record<string, string>][] = [
    ['another origin', { origin: evil }],
    ['an opaque origin', { origin: 'null' }],
    ['no origin', {}],
    ['another port', { origin: 'http://127.0.0.1:8091' }],
  ];

  it.each(origins)('starts no connect, from %s', async (_name, headers) => {
    const browser = connect.browser();
    const page = await browser.enter(await linkTo('forged'));
    const token = /name="form_token"\s+value="([^"]*)"/.exec(page.text)?.[1] ?? '';
    const body = new URLSearchParams({ form_token: token });
    const answer = await browser.open('/connect/forged/demo', { method: 'POST', headers, body });
    expect([answer.status, answer.location]).toEqual([403, undefined]);
  });

  it.each(origins)('chooses nothing, from %s', async (_name, headers) => {
    const browser = connect.browser();
    await browser.enter(await linkTo('forged'));
    const answer = await browser.open('/connect/forged/demo/choices', { method: 'POST', headers });
    expect(answer.status).toBe(403);
  });

  it.each(['/connect/forged/demo', '/connect/forged/demo/choices'])(
    'is refused without the token of the session’s page: %s',
    async (path) => {
      const browser = connect.browser();
      const other = connect.browser();
      await browser.enter(await linkTo('forged'));
      const page = await other.enter(await linkTo('forged'));
      const token = /name="form_token"\s+value="([^"]*)"/.exec(page.text)?.[1] ?? '';
      expect(token).not.toBe('');
      for (const body of [new URLSearchParams(), new URLSearchParams({ form_token: token })]) {
        const headers = { origin: consoleUrl };
        expect((await browser.open(path, { method: 'POST', headers, body })).status).toBe(403);
      }
    },
  );

  it('cannot be replaced by a link: to look at a page begins nothing', async () => {
    await connect.world.redis.flushall();
    const browser = connect.browser();
    await browser.enter(await linkTo('looked'));
    await browser.open('/connect/looked/demo');
    expect(await connect.world.redis.keys('connectors:connect-state:*')).toEqual([]);
  });
});

describe('what others say', () => {
  it('is text: the name of an integration, of an account, of a scope', async () => {
    const browser = connect.browser();
    const asks = await browser.enter(await linkTo('spoken', 'spoken'));
    const says = await browser.connect(await linkTo('spoken', 'spoken'), 'ada');
    expect(says.text).toContain('&#60;img src=x onerror=alert(1)&#62;');
    for (const { text } of [asks, says]) expect(text).not.toMatch(/<script>alert|<img|"><script/);
  });

  it('is not shown at all when it is the description of an error', async () => {
    const { browser, back } = await atCallback('described');
    back.search = new URLSearchParams({
      state: back.searchParams.get('state') ?? '',
      iss: back.searchParams.get('iss') ?? '',
      error: '<b>bad</b>',
      error_description: '<script>alert(4)</script> call this number',
      error_uri: evil,
    }).toString();
    const page = await browser.land(back);
    expect(page.text).toContain('The provider refused');
    expect(page.text).not.toMatch(/alert\(4\)|call this|<b>|evil/);
    await expect
      .poll(() => connect.world.events)
      .toMatchObject([{ type: 'connect-failed', error: 'provider_refused' }]);
    expect(connect.lines.join('\n')).not.toMatch(/alert\(4\)|call this|<b>/);
  });

  it('of a result is one of ours, or nothing', async () => {
    const browser = connect.browser();
    await browser.enter(await linkTo('crafted'));
    const page = await browser.open(
      '/connect/crafted/demo/result?outcome=%3Cb%3E&warnings=%3Ci%3E,__proto__',
    );
    expect(page.text).not.toMatch(/<b>|<i>|__proto__/);
  });
});

describe('a session', () => {
  it('cannot be fixed: the one that a browser brings along is replaced, and does not come back', async () => {
    const attacker = connect.browser();
    await attacker.enter(await linkTo('fixed'));
    const planted = [...attacker.cookies];
    const victim = connect.browser();
    for (const [name, value] of planted) victim.cookies.set(name, value);
    const back = await consent(await victim.depart(await linkTo('fixed')), 'ada');
    expect([...victim.cookies]).not.toEqual(planted);
    expect((await attacker.land(back)).text).toContain('This began in another browser');
    expect(await stored('fixed')).toEqual([]);
  });

  it('for one integration connects no other', async () => {
    const browser = connect.browser();
    await browser.enter(await linkTo('narrow'));
    for (const path of ['/connect/narrow/second', '/connect/umbrella/demo', '/connect/narrow/second/choices'])
      expect((await browser.open(path)).status).toBe(403);
  });
});

describe('Redis, while a user is on the way', () => {
  it('knows neither the verifier nor the state, the nonce, the code or the link', async () => {
    await connect.world.redis.flushall();
    const link = await linkTo('secret');
    const before = await dump();
    const browser = connect.browser();
    const start = await browser.depart(link);
    const back = await consent(start, 'ada');
    const during = await dump();
    const challenge = start.searchParams.get('code_challenge') ?? '';
    const known = ['state', 'nonce', 'code_challenge'].map((name) => start.searchParams.get(name) ?? '');
    const secrets = [...known, back.searchParams.get('code') ?? '', link.split('/').at(-1) ?? ''];
    expect(secrets.filter((secret) => secret.length < 20)).toEqual([]);
    expect(secrets.filter((secret) => `${before}${during}`.includes(secret))).toEqual([]);
    // Nothing in it is the verifier either, under whatever name.
    const words = during.match(/[\w-]{43,128}/g) ?? [];
    const hashes = words.map((word) => createHash('sha256').update(word).digest('base64url'));
    expect(hashes).not.toContain(challenge);
  });

  async function dump(): Promise<string> {
    const { redis } = connect.world;
    const keys = await redis.keys('connectors:connect-*');
    const values = await Promise.all(keys.map((key) => redis.get(key)));
    return JSON.stringify([keys, values]);
  }
});
