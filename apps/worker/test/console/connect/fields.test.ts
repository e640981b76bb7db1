import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { consent, startConnect, type Connect } from './start-connect.ts';

/** What another address of a provider says of a token, as accessible-resources of Atlassian does. */
let sites: object[] | undefined;
const asked: (string | undefined)[] = [];
const paths: (string | undefined)[] = [];
const resources = createServer((request, response) => {
  paths.push(request.url);
  asked.push(request.headers.authorization);
  if (sites === undefined) response.writeHead(500).end('<h1>down</h1>');
  else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(sites));
});
let connect: Connect;

beforeAll(async () => {
  await new Promise<void>((resolve) => resources.listen(0, '127.0.0.1', resolve));
  const revokeUrl = `http://127.0.0.1:${(resources.address() as AddressInfo).port}/revoke`;
  const lookup = `http://127.0.0.1:${(resources.address() as AddressInfo).port}/resources`;
  const cloudId = { pattern: '[0-9a-f-]{3,36}', from: { lookup, path: '0.id', label: '0.name' } };
  connect = await startConnect({
    sited: {
      entry: () => ({
        fields: { cloudId },
        account: { id: { lookup, path: '0.owner.id' }, name: { lookup, path: '0.owner.name' } },
        apiBaseUrl: 'http://127.0.0.1:9/ex/{cloudId}',
      }),
    },
    books: {
      quirks: { callback: { parameters: { realmId: '4620816365' } } },
      entry: () => ({
        fields: { realmId: { pattern: '[0-9]{1,20}', from: { callback: 'realmId' } } },
        account: { id: { callback: 'realmId' } },
      }),
    },
    broken: {
      quirks: { callback: { parameters: { realmId: 'no-number' } } },
      entry: () => ({ fields: { realmId: { pattern: '[0-9]{1,20}', from: { callback: 'realmId' } } } }),
    },
    instance: {
      quirks: { response: { extra: { instance_url: 'https://eu7.example.com/x', team: { id: 'T1' } } } },
      entry: () => ({
        fields: {
          instance: { pattern: '[a-z0-9.-]+', from: { response: 'instance_url', part: 'host' } },
          team: { pattern: 'T[0-9]+', optional: true, from: { response: 'team.id' } },
        },
      }),
    },
    desk: {
      entry: () => ({
        fields: {
          subdomain: { pattern: '[a-z0-9-]{1,63}' },
          region: { pattern: 'eu|us', optional: true },
          redirectUri: { pattern: 'https?://\\S+', optional: true },
        },
        refreshParams: { redirect_uri: '{redirectUri}' },
      }),
    },
    twice: { quirks: { callback: { codeEncodedTwice: true } }, entry: () => ({ codeEncodedTwice: true }) },
    hosted: {
      entry: (url) => ({
        fields: { host: { pattern: '.+' } },
        authorizeUrl: `http://{host}:${new URL(url).port}/auth`,
        authorizationHost: `127\\.0\\.0\\.1:${new URL(url).port}`,
      }),
    },
    market: { quirks: { callback: { withoutState: true } } },
    steady: {
      quirks: { response: { extra: { access_token: 'always-the-same', refresh_token: 'this-one-too' } } },
      entry: () => ({ revocationEnds: 'token', revokeUrl }),
    },
    short: { quirks: { callback: { codeLifetime: 3 } } },
    bot: {
      quirks: { response: { extra: { authed_user: { id: 'U1', access_token: 'xoxp-of-the-user' } } } },
      entry: () => ({ responseFields: {} }),
    },
    user: { quirks: { response: { nestedIn: 'authed_user' } }, entry: () => ({ tokensIn: 'authed_user' }) },
  });
});

afterAll(async () => {
  await connect.close();
  resources.close();
});

beforeEach(() => {
  sites = [];
  asked.length = 0;
});

const linkTo = (integration: string, tenantId = 'acme') => connect.link(tenantId, { integration });
const metadataOf = async (integration: string, tenantId = 'acme') =>
  (await connect.world.stored({ tenantId, integration })).metadata;

const oneSite = { id: 'aaa', name: 'First', owner: { id: 'o-1', name: 'Ada' } };
const otherSite = { id: 'bbb', name: 'Second <b>' };

describe('what another address knows', () => {
  it('is asked with the new token, and stored', async () => {
    sites = [oneSite];
    const page = await connect.browser().connect(await linkTo('sited'), 'ada');
    expect(page.url).not.toContain('warnings');
    expect(await metadataOf('sited')).toMatchObject({
      fields: { cloudId: 'aaa' },
      account: { id: 'o-1', name: 'Ada' },
    });
    const { accessToken } = await connect.world.admin.getCredentials('acme', 'sited');
    expect(asked).toEqual([`Bearer ${accessToken}`]);
  });

  it('may be several: the first is stored, and the user may choose another', async () => {
    sites = [oneSite, otherSite];
    const browser = connect.browser();
    const page = await browser.connect(await linkTo('sited', 'two'), 'ada');
    expect(page.text).toContain('more than one to choose from');
    const before = await metadataOf('sited', 'two');
    expect(before.fields).toEqual({ cloudId: 'aaa' });

    const choices = await browser.open('/connect/two/sited/choices');
    expect(choices.text).toContain('Second &#60;b&#62;');
    connect.world.events.length = 0;
    const chosen = await browser.submit(choices, { cloudId: 'bbb' });
    expect([chosen.status, chosen.location]).toEqual([303, '/connect/two/sited/result?outcome=connected']);
    const after = await metadataOf('sited', 'two');
    expect(after).toMatchObject({ fields: { cloudId: 'bbb' }, revision: before.revision });
    // Proxies forget what they know.
    await expect
      .poll(() => connect.world.events)
      .toMatchObject([{ type: 'credential-stored', tenantId: 'two' }]);
  });

  it('is chosen on a page whose form may lead on: to where a user signs in whose session is over', async () => {
    sites = [oneSite, otherSite];
    const browser = connect.browser();
    await browser.connect(await linkTo('sited', 'over'), 'ada');
    const { headers } = await browser.open('/connect/over/sited/choices');
    expect(headers.get('content-security-policy')).toContain("form-action 'self' https:");
  });

  it.each(['ccc', '../aaa', ''])('may not be what the provider does not name: %j', async (cloudId) => {
    sites = [oneSite, otherSite];
    const browser = connect.browser();
    await browser.connect(await linkTo('sited', 'mine'), 'ada');
    const choices = await browser.open('/connect/mine/sited/choices');
    expect((await browser.submit(choices, { cloudId })).status).toBe(400);
    expect((await metadataOf('sited', 'mine')).fields).toEqual({ cloudId: 'aaa' });
  });

  it('is looked up later when it could not be: the tokens are kept', async () => {
    sites = undefined;
    const browser = connect.browser();
    const page = await browser.connect(await linkTo('sited', 'later'), 'ada');
    expect(page.text).toContain('Something is missing');
    expect((await metadataOf('sited', 'later')).fields).toBeUndefined();
    expect((await browser.open('/connect/later/sited/choices')).status).toBe(404);
    sites = [oneSite];
    await browser.submit(await browser.open('/connect/later/sited/choices'), { cloudId: 'aaa' });
    expect((await metadataOf('sited', 'later')).fields).toEqual({ cloudId: 'aaa' });
  });

  it('is not stored when it breaks its rule', async () => {
    sites = [{ id: '../../admin' }];
    await connect.browser().connect(await linkTo('sited', 'odd'), 'ada');
    expect((await metadataOf('sited', 'odd')).fields).toBeUndefined();
  });
});

describe('what the callback tells', () => {
  it('is stored, and may be whose account it is', async () => {
    await connect.browser().connect(await linkTo('books'), 'ada');
    expect(await metadataOf('books')).toMatchObject({
      fields: { realmId: '4620816365' },
      account: { id: '4620816365' },
    });
  });

  it('and is needed: a code that comes without it is not redeemed', async () => {
    const page = await connect.browser().connect(await linkTo('broken'), 'ada');
    expect(page.text).toContain('The provider left something out');
    expect(connect.servers['broken']?.tokenRequests).toEqual([]);
  });
});

it('what the token response tells is stored', async () => {
  await connect.browser().connect(await linkTo('instance'), 'ada');
  expect((await metadataOf('instance')).fields).toEqual({ instance: 'eu7.example.com', team: 'T1' });
});

describe('what only the user knows', () => {
  it('is asked for before the redirect, and stored with the redirect URI where refreshes need it', async () => {
    const browser = connect.browser();
    const page = await browser.enter(await linkTo('desk'));
    expect(page.text).toMatch(/name="subdomain"[^>]*required/);
    expect(page.text).toMatch(/name="region"/);
    expect(page.text).not.toContain('name="redirectUri"');
    await browser.connect(await linkTo('desk'), 'ada', { subdomain: ' acme ' });
    expect((await metadataOf('desk')).fields).toEqual({
      subdomain: 'acme',
      redirectUri: 'http://127.0.0.1:8090/connect/callback/desk',
    });
  });

  it.each([
    [{ subdomain: '' }, 'Subdomain is missing.'],
    [{ subdomain: 'a.b' }, 'has no subdomain like this.'],
    [{ subdomain: 'a', region: 'mars' }, 'has no region like this.'],
  ])('is asked for again when it breaks its rule: %j', async (fields, problem) => {
    const browser = connect.browser();
    const page = await browser.submit(await browser.enter(await linkTo('desk')), fields);
    expect(page.status).toBe(400);
    expect(page.text).toContain(problem);
    // People are told in words, and not with the pattern of the rule.
    expect(page.text).not.toContain('[a-z');
    expect([...page.text.matchAll(/aria-invalid="true"/g)]).toHaveLength(1);
    expect(/name="subdomain"\s+value="([^"]*)"/.exec(page.text)?.[1]).toBe(fields.subdomain);
  });

  it('leads to no host but the provider’s', async () => {
    const browser = connect.browser();
    const page = await browser.enter(await linkTo('hosted'));
    for (const host of ['evil.example', 'evil.example/127.0.0.1', '127.0.0.1:1@evil.example']) {
      const answer = await browser.submit(page, { host });
      expect([answer.status, answer.location]).toEqual([400, undefined]);
      expect(answer.text).toContain('hosted has no host like this.');
    }
    expect((await browser.submit(page, { host: '127.0.0.1' })).status).toBe(303);
  });

  it('cannot be more than the provider’s definition names', async () => {
    const fields = { subdomain: 'acme', redirectUri: 'https://evil.example', cloudId: 'x' };
    await connect.browser().connect(await linkTo('desk', 'more'), 'ada', fields);
    expect((await metadataOf('desk', 'more')).fields).toEqual({
      subdomain: 'acme',
      redirectUri: 'http://127.0.0.1:8090/connect/callback/desk',
    });
  });
});

it('a code that is encoded twice is redeemed', async () => {
  const page = await connect.browser().connect(await linkTo('twice'), 'ada');
  expect(page.text).toContain('is connected');
});

it('a code that lives for seconds is redeemed in time', async () => {
  const page = await connect.browser().connect(await linkTo('short'), 'ada');
  expect(page.text).toContain('is connected');
});

describe('tokens that are the same after a reconnect', () => {
  it('are not ended, though they were replaced', async () => {
    const connectOnce = async () => connect.browser().connect(await linkTo('steady'), 'ada');
    await connectOnce();
    expect((await connectOnce()).text).toContain('is connected');
    await connect.browser().connect(await linkTo('sited', 'after'), 'ada');
    expect(paths).not.toContain('/revoke');
  });
});

describe('a code without state', () => {
  it('begins the connect anew, on the page that asks first, and is never redeemed', async () => {
    const browser = connect.browser();
    const back = await consent(await browser.depart(await linkTo('market')), 'ada');
    expect(back.searchParams.has('state')).toBe(false);
    const landed = await browser.open(back.href);
    expect([landed.status, landed.location]).toEqual([303, '/connect/acme/market']);
    expect(connect.servers['market']?.tokenRequests).toEqual([]);
  });

  it('says where to begin, to whom has no session', async () => {
    const page = await connect.browser().open('/connect/callback/market?code=stray');
    expect(page.status).toBe(400);
    expect(page.text).toContain('Connect from here');
  });
});

describe('a bot’s and a user’s token in one answer', () => {
  it('are two integrations: the one takes the bot’s', async () => {
    await connect.browser().connect(await linkTo('bot'), 'ada');
    const { accessToken } = await connect.world.admin.getCredentials('acme', 'bot');
    expect(accessToken).not.toBe('xoxp-of-the-user');
  });

  it('and the other the user’s', async () => {
    const page = await connect.browser().connect(await linkTo('user'), 'ada');
    expect(page.text).toContain('is connected');
  });
});
