import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { bearer, call } from './call.ts';
import { audience, startIssuer, type Issuer } from './start-issuer.ts';
import { startSystem, type System } from './start-system.ts';
import { startUpstream } from './start-upstream.ts';
import { startWorker } from './start-worker.ts';

let system: System;
let issuer: Issuer;
let bare: Awaited<ReturnType<typeof startUpstream>>;
let secrets: string[];
let statuses: number[];
const answers: string[] = [];

/** Requests that end in every kind of answer, with a secret wherever one can be put. */
beforeAll(async () => {
  bare = await startUpstream();
  bare.handle = (_request, response) =>
    response.writeHead(401, { 'www-authenticate': 'x' }).end('provider-text');
  issuer = await startIssuer(() => system.clock.now());
  const claims = { tenants: 'tenants', integrations: undefined, grants: undefined };
  system = await startSystem({
    upstreams: { bare: bare.url, gone: 'http://127.0.0.1:1' },
    entries: {
      'by-query': { upstream: { rest: 'http://127.0.0.1:1' }, injection: { query: 'key' } },
      'by-basic': { upstream: { rest: 'http://127.0.0.1:1' }, injection: { basic: '{token}:' } },
    },
    tokens: { issuer: issuer.url, audience, jwksUrl: undefined, claims },
  });
  const worker = await startWorker(system, { cooldownMs: 0 });
  const acme = await system.connect('acme');
  const granted = [acme];
  for (const integration of ['bare', 'gone', 'by-query', 'by-basic']) {
    granted.push(await system.connect('acme', integration));
  }
  const { key } = await system.createAgent({ tenants: ['acme'] });
  const [, id = '', secretPart = ''] = key.split('_');
  const tokens = [
    await issuer.sign({ claims: { tenants: 'acme' } }),
    await issuer.sign({ claims: { tenants: '../canary-header' } }),
    await issuer.sign({ claims: { aud: 'canary-header' } }),
  ] as const;
  secrets = [
    granted.map(({ accessToken }) => accessToken),
    granted.map(({ accessToken }) => Buffer.from(`${accessToken}:`).toString('base64')),
    granted.map(({ refreshToken }) => refreshToken),
    granted.map(({ stored }) => stored.accessToken),
    granted.map(({ stored }) => stored.refreshToken ?? 'none'),
    [key, secretPart, 'wrong-secret', 'canary-header', 'canary-query', 'canary-body', 'provider-text'],
    [system.vaultServer.appRole.secretId, system.vaultServer.rootToken],
    tokens.flatMap((token) => token.split('.').slice(1)),
  ].flat();
  const headers = { ...bearer(key), 'x-canary': 'canary-header', cookie: 'canary-header' };
  const send = async (path: string, more = {}) => {
    const body = 'upgrade' in more ? {} : { method: 'POST', body: 'canary-body' };
    const answer = await call(system.url, `${path}?q=canary-query`, {
      headers: { ...headers, ...more },
      ...body,
    });
    if (answer.headers['connectors-error'] !== undefined) answers.push(JSON.stringify(answer));
    return answer.status;
  };
  statuses = [
    await send('/proxy/demo/a'),
    await send('/proxy/bare/a'),
    await send('/proxy/gone/a'),
    await send('/proxy/rest-only/a'),
    await send('/mcp/demo', { 'mcp-session-id': 'canary-header' }),
    await send('/mcp/demo', { origin: 'https://canary-header.test' }),
    await send('/proxy/by-query/a'),
    await send('/proxy/by-basic/a'),
    await send('/proxy/by-query/socket', { connection: 'Upgrade', upgrade: 'websocket' }),
    await send('/proxy/none/a'),
    await send('/proxy/demo/../a'),
    await send('/proxy/demo/a', bearer(`cak_${id}_wrong-secret`)),
    await send('/proxy/demo/a', { 'x-tenant-id': 'other' }),
    await send('/proxy/demo/a', { 'x-request-id': key }),
    ...(await Promise.all(tokens.map((token) => send('/proxy/demo/a', bearer(token))))),
  ];
  await system.authorizationServer.revokeGrant(acme.accessToken);
  await vi.waitUntil(async () => (await send('/proxy/demo/a')) === 424, { timeout: 3_000 });
  system.vaultServer.seal();
  system.clock.offset += 3_600_000;
  statuses.push(await send('/proxy/demo/a'));
  await worker.close();
});
afterAll(async () => {
  await system.close();
  await Promise.all([bare.close(), issuer.close()]);
});

/** What of `text` must not be there. */
const leaks = (text: string) => secrets.filter((secret) => text.includes(secret));

test('every kind of answer was given', () => {
  expect(statuses).toEqual([
    200, 502, 502, 424, 404, 403, 502, 502, 502, 404, 400, 401, 403, 200, 200, 403, 401, 503,
  ]);
});

test('no log line holds a secret, a header, a body or a query', () => {
  expect(system.lines.length).toBeGreaterThan(10);
  expect(leaks([...system.lines, ...system.audited].join('\n'))).toEqual([]);
});

test('no problem holds a secret or a provider’s text', () => {
  expect(leaks(answers.join('\n'))).toEqual([]);
});

test('no metric holds a secret or names a tenant', async () => {
  const { text } = await call(system.url, '/metrics');
  expect(text).toContain('connectors_proxy_errors_total{code="upstream_rejected_credential"} 1');
  expect(leaks(text)).toEqual([]);
  expect(text).not.toContain('acme');
});

test('no job in Redis holds a secret', async () => {
  expect(leaks(JSON.stringify(await system.dumpRedis()))).toEqual([]);
});

test('an access line says who did what, and how it went', () => {
  const [first] = system.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(first).toEqual({
    level: 30,
    time: expect.stringMatching(/^\d{4}-/) as string,
    app: 'proxy',
    msg: 'request',
    requestId: expect.stringMatching(/^[0-9a-f]{16}-[0-9a-z]+$/) as string,
    agent: expect.stringMatching(/^[a-z2-7]{16}$/) as string,
    tenant: 'acme',
    integration: 'demo',
    surface: 'rest',
    method: 'POST',
    path: '/a',
    status: 200,
    bytesIn: expect.any(Number) as number,
    bytesOut: expect.any(Number) as number,
    totalMs: expect.any(Number) as number,
    upstreamMs: expect.any(Number) as number,
    credential: 'source',
  });
});
