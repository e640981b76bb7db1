import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { consoleUrl, startConnect, type Connect } from './start-connect.ts';

const app = 'https://app.example.com';
const evil = 'https://evil.example.com';
let connect: Connect;

beforeAll(async () => {
  connect = await startConnect(
    {
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
});

afterAll(() => connect.close());

beforeEach(() => {
  connect.world.events.length = 0;
});

const linkTo = (tenantId: string, integration = 'demo', more: object = {}) =>
  connect.link(tenantId, { integration, ...more });

const atCallback = (tenantId: string) => connect.atCallback(tenantId, 'demo');

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
