import { createHash } from 'node:crypto';
import { METHODS } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { fingerprint } from '@connectors/dev-servers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bearer, call, echoOf, open } from './call.ts';
import { startSystem, type System } from './start-system.ts';
import { startUpstream } from './start-upstream.ts';

let system: System;
let bare: Awaited<ReturnType<typeof startUpstream>>;
let key: string;
let accessToken: string;

beforeAll(async () => {
  bare = await startUpstream();
  system = await startSystem({ upstreams: { bare: bare.url } });
  ({ accessToken } = await system.connect('acme'));
  await system.connect('acme', 'rest-only');
  await system.connect('acme', 'bare');
  await system.connect('umbrella');
  ({ key } = await system.createAgent({ tenants: ['acme'] }));
});
afterAll(async () => {
  await system.close();
  await bare.close();
});

const sha256 = (data: Buffer | string) => createHash('sha256').update(data).digest('hex');

test('the tenant’s token is injected, and the agent’s key goes no further', async () => {
  const answer = await call(system.url, '/proxy/demo/a', { headers: bearer(key) });
  expect(echoOf(answer)).toMatchObject({ account: 'acme-user', tokenFingerprint: fingerprint(accessToken) });
});

test('an agent with several tenants uses the credential of the one it names', async () => {
  const agent = await system.createAgent({ tenants: ['acme', 'umbrella'] });
  const headers = { ...bearer(agent.key), 'x-tenant-id': 'umbrella' };
  expect(echoOf(await call(system.url, '/proxy/demo/a', { headers })).account).toBe('umbrella-user');
});

test('path and query arrive byte for byte below the base path', async () => {
  await call(system.url, '/proxy/rest-only/a%20b/%C3%A9;v=1?q=a%2Fb&q=+&x', { headers: bearer(key) });
  expect(system.rest.requests.at(-1)?.url).toBe('/base/a%20b/%C3%A9;v=1?q=a%2Fb&q=+&x');
});

test('a path that is no UTF-8, or not percent-encoded properly, arrives byte for byte, too', async () => {
  let url: string | undefined;
  bare.handle = (request, response) => {
    ({ url } = request);
    response.end();
  };
  await call(system.url, '/proxy/bare/caf%E9/%ff/100%?q=%', { headers: bearer(key) });
  expect(url).toBe('/caf%E9/%ff/100%?q=%');
});

test('only the headers that are the agent’s to say arrive', async () => {
  const headers = [
    ['Host', 'proxy.example'],
    ['Authorization', `Bearer ${key}`],
    ['Cookie', 'session=1'],
    ['X-Tenant-Id', 'acme'],
    ['Connection', 'X-Mine, close'],
    ['X-Mine', '1'],
    ['Proxy-Authorization', 'Basic x'],
    ['X-Forwarded-For', '10.0.0.1'],
    ['TE', 'trailers'],
    ['X-Twice', 'a'],
    ['Accept', 'text/html;q=0.1'],
    ['x-twice', 'b'],
  ].flat();
  let received: string[] = [];
  bare.handle = (request, response) => {
    received = request.rawHeaders;
    response.end();
  };
  await call(system.url, '/proxy/bare/', { headers });
  const { accessToken: token } = await system.admin.getCredentials('acme', 'bare');
  expect(received).toEqual(
    [
      ['host', new URL(bare.url).host],
      ['connection', 'keep-alive'],
      ['X-Twice', 'a'],
      ['Accept', 'text/html;q=0.1'],
      ['x-twice', 'b'],
      ['Authorization', `Bearer ${token}`],
    ].flat(),
  );
});

test('only the headers that do not act on the proxy itself come back', async () => {
  const headers = [
    ['Set-Cookie', 'a=1'],
    ['Alt-Svc', 'h3=":443"'],
    ['Clear-Site-Data', '"*"'],
    ['Strict-Transport-Security', 'max-age=1'],
    ['X-Twice', 'a'],
    ['x-twice', 'b'],
    ['Latin', 'caf\xe9'],
    ['Connectors-Error', 'none'],
    ['Content-Length', '4'],
    ['Date', 'Sun, 06 Nov 1994 08:49:37 GMT'],
  ].flat();
  bare.handle = (_request, response) =>
    response.writeHead(203, 'As You Like It', headers).end(Buffer.from('body'));
  const answer = await call(system.url, '/proxy/bare/', {
    headers: { ...bearer(key), 'x-request-id': 'mine' },
  });
  expect([answer.status, answer.statusMessage, answer.text]).toEqual([203, 'As You Like It', 'body']);
  expect(answer.rawHeaders).toEqual(
    [
      ['X-Twice', 'a'],
      ['x-twice', 'b'],
      ['Latin', 'caf\xe9'],
      ['Content-Length', '4'],
      ['Date', 'Sun, 06 Nov 1994 08:49:37 GMT'],
      ['X-Request-Id', 'mine'],
      ['Connection', 'keep-alive'],
      ['Keep-Alive', 'timeout=72'],
    ].flat(),
  );
});

test('the upstream’s own request id is kept', async () => {
  bare.handle = (_request, response) => response.writeHead(200, { 'x-request-id': 'theirs' }).end();
  const answer = await call(system.url, '/proxy/bare/', {
    headers: { ...bearer(key), 'x-request-id': 'mine' },
  });
  expect(answer.headers['x-request-id']).toBe('theirs');
});

test('a redirect is not followed, and does not carry the token', async () => {
  const { accessToken: token } = await system.admin.getCredentials('acme', 'bare');
  bare.handle = (_request, response) =>
    response.writeHead(302, { location: `https://b.example/?t=${token}` }).end();
  const answer = await call(system.url, '/proxy/bare/', { headers: bearer(key) });
  expect([answer.status, answer.headers.location]).toEqual([302, 'https://b.example/?t=[redacted]']);
});

test('a compressed body stays compressed', async () => {
  const bytes = Buffer.from([0x1f, 0x8b, 0, 1, 2, 3]);
  bare.handle = (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bytes);
  const answer = await call(system.url, '/proxy/bare/', { headers: bearer(key) });
  expect([answer.headers['content-encoding'], answer.body]).toEqual(['gzip', bytes]);
});

test('trailers come back', async () => {
  bare.handle = (_request, response) => {
    response.writeHead(200, { trailer: 'X-Sum' });
    response.write('body');
    response.addTrailers({ 'X-Sum': '42', 'Set-Cookie': 'a=1' });
    response.end();
  };
  const response = await open(system.url, '/proxy/bare/', { headers: bearer(key) });
  await buffer(response);
  expect(response.trailers).toEqual({ 'x-sum': '42' });
});

test.each(METHODS.filter((method) => method !== 'CONNECT' && method !== 'TRACE'))(
  'the method %s arrives',
  async (method) => {
    let received: string | undefined;
    bare.handle = (request, response) => {
      received = request.method;
      response.end();
    };
    const answer = await call(system.url, '/proxy/bare/', { method, headers: bearer(key) });
    expect([answer.status, received]).toEqual([200, method]);
  },
);

test.each([
  ['JSON with large integers and spaces', 'application/json', '{"n": 12345678901234567890 }'],
  ['what only claims to be JSON', 'application/json', '{'],
  ['an unknown content type', 'not a type', 'x'],
  ['no content type', undefined, 'x'],
])('a body is passed as it is: %s', async (_what, type, body) => {
  const headers = { ...bearer(key), ...(type === undefined ? {} : { 'content-type': type }) };
  const echo = echoOf(await call(system.url, '/proxy/demo/', { method: 'POST', headers, body }));
  expect([echo.body.text, echo.headers['content-type']]).toEqual([body, type]);
});

test('a chunked body is passed', async () => {
  const headers = { ...bearer(key), 'transfer-encoding': 'chunked' };
  const echo = echoOf(await call(system.url, '/proxy/demo/', { method: 'PUT', headers, body: 'chunked' }));
  expect(echo.body.text).toBe('chunked');
});

test('a GET may have a body, and a POST none', async () => {
  const get = await call(system.url, '/proxy/demo/', {
    headers: { ...bearer(key), 'content-length': 4 },
    body: 'body',
  });
  const post = await call(system.url, '/proxy/demo/', { method: 'POST', headers: bearer(key) });
  expect([echoOf(get).body.text, echoOf(post).body.bytes]).toEqual(['body', 0]);
});

test('a client that expects 100-continue gets it, and the upstream never hears of it', async () => {
  const headers = { ...bearer(key), expect: '100-continue', 'content-length': 4 };
  const echo = echoOf(await call(system.url, '/proxy/demo/', { method: 'POST', headers, body: 'body' }));
  expect([echo.body.text, echo.headers['expect']]).toEqual(['body', undefined]);
});

test('HEAD has the headers of the answer and no body', async () => {
  const answer = await call(system.url, '/proxy/demo/bytes/1000', { method: 'HEAD', headers: bearer(key) });
  expect([answer.status, answer.headers['content-length'], answer.body.length]).toEqual([200, '1000', 0]);
});

test.each([204, 304])('%i has no body', async (status) => {
  bare.handle = (_request, response) => response.writeHead(status, { etag: '"1"' }).end();
  const answer = await call(system.url, '/proxy/bare/', { headers: bearer(key) });
  expect([answer.status, answer.headers.etag, answer.headers['transfer-encoding']]).toEqual([
    status,
    '"1"',
    undefined,
  ]);
});

test.each([400, 403, 404, 429, 500, 503])(
  'the upstream’s own %i passes, and is not marked as ours',
  async (status) => {
    const query = status === 429 ? '?Retry-After=7' : '';
    const answer = await call(system.url, `/proxy/demo/status/${status}${query}`, { headers: bearer(key) });
    expect([answer.status, answer.headers['connectors-error']]).toEqual([status, undefined]);
    expect(answer.headers['retry-after']).toBe(status === 429 ? '7' : undefined);
  },
);

test('5 MB arrive and come back byte for byte', async () => {
  const size = 5 * 1024 * 1024;
  const body = Buffer.alloc(size, 'The quick brown fox ');
  const up = await call(system.url, '/proxy/demo/', { method: 'POST', headers: bearer(key), body });
  const down = await call(system.url, `/proxy/demo/bytes/${size}`, { headers: bearer(key) });
  expect(echoOf(up).body).toEqual({ bytes: size, sha256: sha256(body) });
  expect(sha256(down.body)).toBe(
    sha256(Buffer.from(Array.from({ length: size }, (_, index) => index % 251))),
  );
});

test('5 MB without a declared length arrive', async () => {
  const body = Buffer.alloc(5 * 1024 * 1024, 'jumps over the lazy dog');
  const headers = { ...bearer(key), 'transfer-encoding': 'chunked' };
  const up = await call(system.url, '/proxy/demo/', { method: 'POST', headers, body });
  expect(echoOf(up).body).toEqual({ bytes: body.length, sha256: sha256(body) });
});
