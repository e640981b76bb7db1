import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Fault } from '@connectors/dev-servers';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { startProcess } from '../../start-process.ts';
import { adminToken, isActive, startInProcess } from '../../start-world.ts';
import { startConnect, type Connect } from './start-connect.ts';

/** Sees the token of each connect, which is nowhere else where it could not be saved. */
const seen: string[] = [];
const profile = createServer((request, response) => {
  seen.push(request.headers.authorization?.replace('Bearer ', '') ?? '');
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"ada"}');
});
/** Tells where the endpoints are, and what happens meanwhile. */
let atDiscovery = () => undefined as void;
const discovery = createServer((_request, response) => {
  atDiscovery();
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(documentOf()));
});
const urlOf = (server: typeof profile) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

let connect: Connect;

beforeAll(async () => {
  await Promise.all(
    [profile, discovery].map(
      (server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)),
    ),
  );
  const lookup = `${urlOf(profile)}/me`;
  connect = await startConnect(
    {
      profiled: {
        entry: (url) => ({ account: { id: { lookup, path: 'id' } }, revokeUrl: `${url}/token/revocation` }),
      },
      discovered: {
        quirks: { callback: { without: ['iss'] } },
        entry: () => ({
          issuer: urlOf(discovery),
          authorizeUrl: undefined,
          tokenUrl: undefined,
          scopes: ['api:read'],
        }),
      },
      scant: { quirks: { response: { extra: { scope: 'openid' } } } },
      mortal: {
        quirks: { response: { extra: { refresh_token: '' } } },
        entry: () => ({ provider: 'github', account: { id: { response: 'none' } } }),
      },
    },
    { REFRESH_ATTEMPT_SECONDS: '3', REFRESH_REQUEST_SECONDS: '1' },
  );
});

afterAll(async () => {
  await connect.close();
  profile.close();
  discovery.close();
});

beforeEach(() => {
  seen.length = 0;
  atDiscovery = () => undefined;
  connect.world.events.length = 0;
});

function documentOf() {
  const server = connect.servers['discovered'];
  return {
    issuer: urlOf(discovery),
    authorization_endpoint: server?.authorizationEndpoint,
    token_endpoint: server?.tokenEndpoint,
    token_endpoint_auth_methods_supported: ['client_secret_basic'],
  };
}

const linkTo = (tenantId: string, integration = 'profiled') => connect.link(tenantId, { integration });
const stored = (tenantId: string) => connect.world.admin.listCredentials(tenantId);
const lastEvent = () => connect.world.events.at(-1);

const atCallback = (tenantId: string, integration = 'profiled') => connect.atCallback(tenantId, integration);

function profiled() {
  const server = connect.servers['profiled'];
  if (server === undefined) throw new Error('there is no server');
  return server;
}

describe('what is granted', () => {
  it('may be less than was asked for: the user is told what is missing, and it is stored as it is', async () => {
    const page = await connect.browser().connect(await linkTo('less', 'scant'), 'ada');
    expect(page.text).toContain('Not everything was granted');
    expect(page.text).toContain('<code>api:read</code>');
    expect((await connect.world.stored({ tenantId: 'less', integration: 'scant' })).scopes).toEqual([
      'openid',
    ]);
    await expect.poll(lastEvent).toMatchObject({ type: 'connected', warnings: ['fewer_scopes'] });
  });

  it('may end without a way to renew it: the user is told so, and the operator how to set the integration up', async () => {
    const page = await connect.browser().connect(await linkTo('mortal', 'mortal'), 'ada');
    expect(page.text).toContain('It will expire');
    expect(page.text).not.toContain('Takes OAuth apps and GitHub Apps alike');
    const operator = connect.browser();
    await operator.submit(await operator.open('/sign-in'), { token: adminToken });
    const same = await operator.connect(await linkTo('mortal', 'mortal'), 'ada');
    expect(same.text).toContain('Takes OAuth apps and GitHub Apps alike');
    await expect.poll(lastEvent).toMatchObject({ type: 'connected', warnings: ['no_refresh_token'] });
  });
});

describe('without Vault', () => {
  it('before the callback, nothing is used up: to look again is enough', async () => {
    const { browser, back } = await atCallback('patient');
    connect.world.vaultServer.seal();
    const page = await browser.open(back.href);
    connect.world.vaultServer.unseal();
    expect([page.status, page.headers.get('retry-after')]).toEqual([503, '5']);
    expect(page.text).toContain('Reload this page');
    expect(profiled().tokenRequests).toEqual([]);
    expect((await browser.land(back)).text).toContain('is connected');
  });

  it('at the last moment before the exchange, the code is not redeemed', async () => {
    const { browser, back } = await atCallback('sealed', 'discovered');
    // Another replica, which has not asked where the endpoints are yet.
    const other = await startInProcess(connect.settings);
    onTestFinished(() => other.close());
    await vi.waitUntil(async () => (await fetch(`${other.url}/readyz`)).ok, 10_000);
    browser.worker = other.url;
    atDiscovery = () => connect.world.vaultServer.seal();
    const page = await browser.land(back);
    connect.world.vaultServer.unseal();
    expect(page.text).toContain('cannot be saved now');
    expect(connect.servers['discovered']?.tokenRequests).toEqual([]);
    await expect.poll(lastEvent).toMatchObject({ type: 'connect-failed', error: 'vault_unavailable' });
  });

  it('for a moment after the exchange, the tokens are kept and saved', async () => {
    const { landing, release } = await betweenExchangeAndSave('moment');
    connect.world.vaultServer.seal();
    release();
    await vi.waitUntil(() => seen.length === 1, 5_000);
    await vi.waitUntil(() => connect.lines.join('').includes('could not be saved yet'), 5_000);
    connect.world.vaultServer.unseal();
    expect((await landing).text).toContain('is connected');
    expect(await isActive(profiled(), seen[0] ?? '')).toBe(true);
    const { accessToken } = await connect.world.admin.getCredentials('moment', 'profiled');
    expect(accessToken).toBe(seen[0]);
  });

  it('for good after the exchange, the tokens are ended at the provider, and the user is told', async () => {
    const { landing, release } = await betweenExchangeAndSave('never');
    connect.world.vaultServer.seal();
    release();
    const page = await landing;
    connect.world.vaultServer.unseal();
    expect(page.text).toContain('could not be saved');
    expect(await stored('never')).toEqual([]);
    expect(seen).toHaveLength(1);
    expect(await isActive(profiled(), seen[0] ?? '')).toBe(false);
    await expect.poll(lastEvent).toMatchObject({ type: 'connect-failed', error: 'not_saved' });
  });

  it('a page of a session still says what it can', async () => {
    const browser = connect.browser();
    await browser.enter(await linkTo('shown'));
    connect.world.vaultServer.seal();
    const page = await browser.open('/connect/shown/profiled/result?outcome=connected');
    const choices = await browser.open('/connect/shown/profiled/choices');
    connect.world.vaultServer.unseal();
    expect([page.status, choices.status]).toEqual([200, 503]);
  });
});

/** A connect whose code the provider has redeemed, and not answered yet. */
async function betweenExchangeAndSave(tenantId: string, worker = connect.url) {
  const { browser, back } = await atCallback(tenantId);
  const server = profiled();
  server.tokenRequests.length = 0;
  server.faults.next({ kind: 'hangAfterRotation' });
  browser.worker = worker;
  const landing = browser.land(back);
  landing.catch(() => undefined);
  await vi.waitUntil(() => server.tokenRequests[0]?.status !== undefined, 5_000);
  return { landing, back, browser, release: () => server.faults.release() };
}

describe('a worker that dies between exchange and save', () => {
  it('leaves nothing behind, and the user connects again', async () => {
    const dying = await startProcess(connect.settings);
    await vi.waitUntil(async () => (await fetch(`${dying.url}/readyz`)).ok, 10_000);
    const { landing, browser, back, release } = await betweenExchangeAndSave('crashed', dying.url);
    dying.child.kill('SIGKILL');
    await expect(landing).rejects.toThrow('fetch failed');
    release();
    browser.worker = connect.url;
    expect((await browser.land(back)).text).toContain('This sign-in is over');
    expect(await stored('crashed')).toEqual([]);
    expect((await browser.connect(await linkTo('crashed'), 'ada')).text).toContain('is connected');
    expect(await stored('crashed')).toEqual(['profiled']);
  });
});

describe('a worker that is asked to stop between exchange and save', () => {
  it('saves first', async () => {
    const stopping = await startInProcess(connect.settings);
    await vi.waitUntil(async () => (await fetch(`${stopping.url}/readyz`)).ok, 10_000);
    const { landing, release } = await betweenExchangeAndSave('stopped', stopping.url);
    const closed = stopping.close();
    await expect(landing).rejects.toThrow('fetch failed');
    release();
    await closed;
    expect(await stored('stopped')).toEqual(['profiled']);
  });
});

describe('a provider that', () => {
  const faults: [string, Fault, string, string][] = [
    [
      'is down',
      { kind: 'status', status: 503, body: '<h1>down</h1>' },
      'does not answer',
      'provider_unavailable',
    ],
    ['hangs up', { kind: 'cut' }, 'does not answer', 'provider_unavailable'],
    [
      'answers a page',
      { kind: 'status', status: 200, body: '<h1>hi</h1>' },
      'does not answer',
      'provider_unavailable',
    ],
    ['says too many', { kind: 'status', status: 429 }, 'does not answer', 'provider_unavailable'],
    [
      'refuses the code',
      { kind: 'status', status: 400, body: { error: 'invalid_grant', error_description: 'secret words' } },
      'gave no token',
      'exchange_refused',
    ],
    [
      'refuses us',
      { kind: 'status', status: 401, body: { error: 'invalid_client' } },
      'gave no token',
      'exchange_refused',
    ],
    [
      'answers an empty object',
      { kind: 'status', status: 200, body: {} },
      'does not answer',
      'provider_unavailable',
    ],
  ];

  it.each(faults)('%s: the user is told, nothing is stored', async (_name, fault, says, error) => {
    const { browser, back } = await atCallback('faulty');
    profiled().faults.next(fault);
    const page = await browser.land(back);
    expect(page.text).toContain(says);
    expect(page.text).not.toContain('secret words');
    expect(await stored('faulty')).toEqual([]);
    await expect.poll(lastEvent).toMatchObject({ type: 'connect-failed', error });
  });

  it('takes its time is waited for', async () => {
    const { landing, release } = await betweenExchangeAndSave('slow');
    release();
    expect((await landing).text).toContain('is connected');
  });
});

describe('two replicas', () => {
  it('that get the same callback connect once', async () => {
    const other = await startInProcess(connect.settings);
    onTestFinished(() => other.close());
    await vi.waitUntil(async () => (await fetch(`${other.url}/readyz`)).ok, 10_000);
    const { browser, back } = await atCallback('both');
    const second = connect.browser(other.url);
    for (const [name, value] of browser.cookies) second.cookies.set(name, value);
    const pages = await Promise.all([browser.open(back.href), second.open(back.href)]);
    expect(pages.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([303, 400]);
    expect(await stored('both')).toEqual(['profiled']);
  });
});

describe('without Redis', () => {
  it('every step says so on its page, and uses nothing up', async () => {
    const alone = await startConnect();
    onTestFinished(() => alone.close());
    const link = await alone.link('acme', { integration: 'demo' });
    const browser = alone.browser();
    const asks = await browser.enter(link);
    await alone.world.redisServer.close();
    await vi.waitUntil(async () => !(await fetch(`${alone.url}/readyz`)).ok, 10_000);
    const answers = [
      await browser.open(link),
      await browser.submit(asks),
      await browser.open('/connect/callback/demo?code=c&state=s'),
    ];
    for (const answer of answers) {
      expect([answer.status, answer.headers.get('content-type')]).toEqual([503, 'text/html; charset=utf-8']);
      expect(answer.text).not.toContain('ECONNREFUSED');
    }
    // What needs no Redis is still there.
    expect((await browser.open('/connect/acme/demo')).status).toBe(200);
  });
});
