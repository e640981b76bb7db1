import { createHash } from 'node:crypto';
import { startAuthorizationServer, type RunningAuthorizationServer } from '@connectors/dev-servers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { consent, startConnect, type Connect } from './start-connect.ts';

let connect: Connect;
let stranger: RunningAuthorizationServer;

beforeAll(async () => {
  connect = await startConnect({
    second: {},
    plain: { entry: () => ({ pkce: true }) },
    stolen: {
      quirks: { response: { extra: { id_token: idTokenOf('another-nonce') } } },
      entry: () => ({}),
    },
  });
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

const atCallback = (tenantId: string, integration = 'demo') => connect.atCallback(tenantId, integration);
const stored = (tenantId: string) => connect.world.admin.listCredentials(tenantId);
/** How connects ended, by the events of them. */
const told = () =>
  connect.world.events.flatMap((event) =>
    event.type === 'connect-failed' ? event.error : event.type === 'connected' ? 'connected' : [],
  );
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

  it('that is replayed is told of, once, and the user may start again', async () => {
    const { browser, back } = await atCallback('replayed');
    await browser.land(back);
    const replays = [await browser.land(back), await browser.land(back)];
    for (const { text } of replays) expect(text).toContain('href="/connect/replayed/demo"');
    const [first] = connect.world.events.filter(({ type }) => type === 'connected');
    expect(first).toMatchObject({ connectSession: expect.any(String) as string });
    await atCallback('replayed').then((next) => next.browser.land(next.back));
    await expect.poll(told).toEqual(['connected', 'state_unknown', 'connected']);
    const failed = connect.world.events.find(({ type }) => type === 'connect-failed');
    const { flow, connectSession } = first as { flow?: string; connectSession?: string };
    expect(failed).toMatchObject({ tenantId: 'replayed', integration: 'demo', flow, connectSession });
  });

  it('that has expired is told of, whose it was, and the user may start again', async () => {
    const { browser, back } = await atCallback('expired');
    await connect.world.redis.del(await connect.world.redis.keys('connectors:connect-state:*'));
    expect((await browser.land(back)).text).toContain('href="/connect/expired/demo"');
    await expect.poll(told).toEqual(['state_unknown']);
    expect(connect.world.events[0]).toMatchObject({ tenantId: 'expired', integration: 'demo' });
  });

  it('that is replayed elsewhere tells nobody there whose it was', async () => {
    const { browser, back } = await atCallback('elsewhere');
    await browser.land(back);
    const page = await connect.browser().land(back);
    expect([page.status, page.text.includes('elsewhere')]).toEqual([400, false]);
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
      expect([exchanges(), await stored('made-up'), told()]).toEqual([0, [], []]);
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
    const page = await browser.land(back);
    expect([page.status, page.text]).toEqual([400, expect.stringContaining('opened another link meanwhile')]);
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

describe('one who begins again and again', () => {
  it('fills no memory: after thirty flows the session begins no more, and others do', async () => {
    const browser = connect.browser();
    const page = await browser.enter(await linkTo('eager'));
    for (let times = 0; times < 30; times += 1) expect((await browser.submit(page)).status).toBe(303);
    const refused = await browser.submit(page);
    expect([refused.status, refused.text]).toEqual([429, expect.stringContaining('Too many tries')]);
    const other = connect.browser();
    expect((await other.submit(await other.enter(await linkTo('eager')))).status).toBe(303);
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
