import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { adminToken, startInProcess } from '../../start-world.ts';
import { consent, consoleUrl, startConnect, type Connect } from './start-connect.ts';

const app = 'https://app.example.com';
let connect: Connect;

beforeAll(async () => {
  const named = (provider: string) => ({ entry: () => ({ provider }) });
  connect = await startConnect(
    { linkedin: named('linkedin'), pipedrive: named('pipedrive'), secretless: named('github') },
    { CONNECT_RETURN_ORIGINS: app, SECRETLESS_CLIENT_SECRET: '' },
  );
});

afterAll(() => connect.close());

beforeEach(() => {
  connect.world.events.length = 0;
});

const demo = (tenantId: string) => ({ tenantId, integration: 'demo' });
const linkTo = (tenantId: string, more: object = {}) =>
  connect.link(tenantId, { integration: 'demo', ...more });

describe('a user who connects', () => {
  it('ends at a page that says so, and their tokens work', async () => {
    const page = await connect.browser().connect(await linkTo('acme'), 'ada');
    expect([page.status, page.url]).toEqual([
      200,
      `${consoleUrl}/connect/acme/demo/result?outcome=connected`,
    ]);
    expect(page.text).toContain('OpenID Connect is connected');
    expect(page.text).toContain('ada');
    await connect.world.expectLivingGrant(demo('acme'));
  });

  it('leaves whose account it is, what was granted, who connected it and when it will be refreshed', async () => {
    await connect.browser().connect(await linkTo('facts', { user: 'user-7' }), 'ada');
    const { credential } = await connect.world.admin.credentials.get(demo('facts'));
    expect(credential).toMatchObject({
      scopes: ['openid', 'api:read'],
      metadata: { account: { id: 'ada' }, createdBy: 'user-7', status: 'active' },
    });
    await connect.world.jobAs('delayed', { ...demo('facts'), revision: credential.metadata.revision });
  });

  it('is announced as stored and as connected, with the id of the connect session', async () => {
    await connect.browser().connect(await linkTo('told'), 'ada');
    await expect
      .poll(() => connect.world.events.map(({ type }) => type))
      .toEqual(['credential-stored', 'connected']);
    expect(connect.world.events[1]).toMatchObject({
      ...demo('told'),
      warnings: [],
      connectSession: expect.stringMatching(/^[a-z2-7]{16}$/) as string,
      flow: expect.stringMatching(/^[a-z2-7]{16}$/) as string,
    });
  });

  it('is counted, by integration alone', async () => {
    await connect.browser().connect(await linkTo('counted'), 'ada');
    const figures = await (await fetch(`${connect.url}/metrics`)).text();
    expect(figures).toMatch(/connectors_connects_total\{integration="demo",outcome="connected"\} \d+/);
    expect(figures).not.toContain('counted');
  });

  it('sees before it what is asked for, for whom, and by whom', async () => {
    const page = await connect.browser().enter(await linkTo('acme', { user: 'ada@example.com' }));
    for (const text of ['Connect OpenID Connect', 'acme', 'api:read', 'offline_access', 'ada@example.com'])
      expect(page.text).toContain(text);
  });

  it('is asked for the scopes of the link in place of the integration’s', async () => {
    const url = await connect.browser().depart(await linkTo('acme', { scopes: ['openid', 'api:write'] }));
    expect(url.searchParams.get('scope')).toBe('openid api:write');
  });

  it('is sent with PKCE, a state of its own, a nonce, and a redirect URI of the integration alone', async () => {
    const first = (await connect.browser().depart(await linkTo('acme'))).searchParams;
    const second = (await connect.browser().depart(await linkTo('acme'))).searchParams;
    expect(first.get('redirect_uri')).toBe(`${consoleUrl}/connect/callback/demo`);
    expect(first.get('code_challenge_method')).toBe('S256');
    for (const name of ['state', 'code_challenge', 'nonce']) {
      expect(first.get(name)).toMatch(/^[\w-]{43}$/);
      expect(first.get(name)).not.toBe(second.get(name));
    }
  });

  it('goes back to the application with the result, when the link names one', async () => {
    const page = await connect.browser().connect(await linkTo('acme', { returnUrl: `${app}/x?y=1` }), 'ada');
    expect([page.status, page.location]).toEqual([
      303,
      `${app}/x?y=1&connectors_result=connected&integration=demo`,
    ]);
  });

  it('may end at another replica than they began at', async () => {
    const other = await startInProcess(connect.settings);
    const browser = connect.browser();
    const back = await consent(await browser.depart(await linkTo('replicas')), 'ada');
    browser.worker = other.url;
    expect((await browser.land(back)).text).toContain('is connected');
    await other.close();
  });

  it('may be the operator, who needs no link', async () => {
    const browser = connect.browser();
    await browser.open('/sign-in', {
      method: 'POST',
      headers: { origin: consoleUrl },
      body: new URLSearchParams({ token: adminToken }),
    });
    const sent = await browser.submit(await browser.open('/connect/by-operator/demo'));
    const back = await consent(new URL(sent.location ?? ''), 'ada');
    // What comes from another site brings no cookie that is for this one alone.
    browser.cookies.delete('connectors_console');
    expect((await browser.land(back)).text).toContain('is connected');
  });
});

describe('the page that says how it went', () => {
  async function loseGrant(tenantId: string): Promise<void> {
    const { credentials } = connect.world.admin;
    const { credential, version } = await credentials.get(demo(tenantId));
    const metadata = { ...credential.metadata, status: 'needs_reauth' } as const;
    await credentials.write(demo(tenantId), { ...credential, metadata }, version);
  }

  it.each<[string, (tenantId: string) => Promise<unknown>]>([
    ['was disconnected', (tenantId) => connect.world.admin.deleteCredentials(tenantId, 'demo')],
    ['needs a reconnect', loseGrant],
  ])('says no longer that it is connected when it %s since', async (why, end) => {
    const tenantId = why.replaceAll(' ', '-');
    const browser = connect.browser();
    const { url } = await browser.connect(await linkTo(tenantId), 'ada');
    await end(tenantId);
    const page = await browser.open(url);
    expect([page.status, page.text]).toEqual([404, expect.stringContaining('is not connected')]);
    expect(page.text).toContain(`href="/connect/${tenantId}/demo"`);
  });
});

describe('a user who connects again', () => {
  it('replaces what was stored', async () => {
    await connect.browser().connect(await linkTo('again'), 'ada');
    const before = await connect.world.stored(demo('again'));
    const page = await connect.browser().connect(await linkTo('again'), 'ada');
    expect(page.text).toContain('is connected');
    expect(page.url).not.toContain('warnings');
    expect((await connect.world.stored(demo('again'))).metadata.revision).not.toBe(before.metadata.revision);
    await connect.world.expectLivingGrant(demo('again'));
  });

  it('with another account is told so', async () => {
    await connect.browser().connect(await linkTo('other'), 'ada');
    const page = await connect.browser().connect(await linkTo('other'), 'grace');
    expect(page.text).toContain('different account than before');
    await expect.poll(() => connect.world.events.at(-1)).toMatchObject({ warnings: ['other_account'] });
  });

  it('with another account is told so by the application as well, which learns of it', async () => {
    await connect.browser().connect(await linkTo('told-there'), 'ada');
    const link = await linkTo('told-there', { returnUrl: app });
    const { location } = await connect.browser().connect(link, 'grace');
    expect(location).toBe(
      `${app}/?connectors_result=connected&integration=demo&connectors_codes=other_account`,
    );
  });
});

describe('the tokens that a reconnect replaces', () => {
  const connectAs = async (tenantId: string, login: string) => {
    await connect.browser().connect(await linkTo(tenantId), login);
    return (await connect.world.admin.getCredentials(tenantId, 'demo')).accessToken;
  };

  it('are ended at the provider when they are another account’s: nobody else knows them', async () => {
    const former = await connectAs('ended', 'ada');
    const current = await connectAs('ended', 'grace');
    await expect.poll(() => connect.world.isActive(former)).toBe(false);
    expect(await connect.world.isActive(current)).toBe(true);
  });

  it('are ended also when they came while the new ones were on their way', async () => {
    const { provider } = connect.world;
    const { browser, back } = await connect.atCallback('overtaken', 'demo');
    provider.tokenRequests.length = 0;
    provider.faults.next({ kind: 'hangAfterRotation' });
    const landing = browser.land(back);
    await vi.waitUntil(() => provider.tokenRequests[0]?.status !== undefined, 5_000);
    const former = await connectAs('overtaken', 'grace');
    provider.faults.release();
    expect((await landing).text).toContain('different account than before');
    await expect.poll(() => connect.world.isActive(former)).toBe(false);
    await connect.world.expectLivingGrant(demo('overtaken'));
  });

  it('are let be when to end them would end the new ones: those of the same account', async () => {
    const former = await connectAs('let-be', 'ada');
    const current = await connectAs('let-be', 'ada');
    expect(await connect.world.isActive(current)).toBe(true);
    expect(await connect.world.isActive(former)).toBe(true);
  });
});

describe('a user who says no', () => {
  it('is told that nothing was connected, and may start again', async () => {
    const browser = connect.browser();
    const back = await consent(await browser.depart(await linkTo('denied')), 'ada', true);
    const page = await browser.land(back);
    expect(page.text).toContain('You declined');
    expect(page.text).toContain('href="/connect/denied/demo"');
    expect(await connect.world.admin.listCredentials('denied')).toEqual([]);
    await expect
      .poll(() => connect.world.events)
      .toMatchObject([{ type: 'connect-failed', ...demo('denied'), error: 'consent_denied' }]);
  });

  it.each([
    ['linkedin', 'user_cancelled_login'],
    ['linkedin', 'user_cancelled_authorize'],
    ['pipedrive', 'user_denied'],
  ])('is understood in the words of %s: %s', async (integration, error) => {
    const browser = connect.browser();
    const url = await browser.depart(await connect.link('declined', { integration }));
    const query = new URLSearchParams({ error, state: url.searchParams.get('state') ?? '' });
    const page = await browser.land(
      new URL(`/connect/callback/${integration}?${query.toString()}`, consoleUrl),
    );
    expect(page.text).toContain('You declined');
  });

  it('goes back to the application with that', async () => {
    const browser = connect.browser();
    const link = await linkTo('denied', { returnUrl: app });
    const landed = await browser.land(await consent(await browser.depart(link), 'ada', true));
    expect(landed.location).toBe(
      `${app}/?connectors_result=denied&integration=demo&connectors_codes=consent_denied`,
    );
  });
});

describe('an integration that lacks its client secret', () => {
  it('sends nobody away, and the log names what is missing', async () => {
    const browser = connect.browser();
    const link = await connect.link('early', { integration: 'secretless' });
    const page = await browser.submit(await browser.enter(link));
    expect([page.status, page.text]).toEqual([503, expect.stringContaining('is not set up')]);
    expect(connect.lines.join('')).toMatch(/"integration":"secretless","reason":"client_secret_missing"/);
  });
});

describe('a connect page without a session', () => {
  it('says that a link is needed, and names nothing', async () => {
    const page = await connect.browser().open('/connect/acme/demo');
    expect(page.status).toBe(403);
    expect(page.text).toContain('You need a link');
    expect(page.text).not.toContain('OpenID');
  });

  it.each(['/connect/acme/nothing', '/connect/..%2f/demo', '/connect/acme/-'])(
    'is no page: %s',
    async (path) => {
      const { status } = await connect.browser().open(path);
      expect([403, 404]).toContain(status);
    },
  );

  it('leads to the operator’s own sign-in where there is one', async () => {
    const worker = await startInProcess({
      ...connect.settings,
      CONNECT_SIGN_IN_URL: `${app}/connect?tenant={tenant}&to={integration}`,
    });
    const page = await connect.browser(worker.url).open('/connect/acme/demo');
    expect([page.status, page.location]).toEqual([303, `${app}/connect?tenant=acme&to=demo`]);
    await worker.close();
  });
});
