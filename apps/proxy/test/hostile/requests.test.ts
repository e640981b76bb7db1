import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bearer, call } from '../call.ts';
import { dial, exchange, startRawUpstream, statuses } from '../raw.ts';
import { startSystem, type System } from '../start-system.ts';

let system: System;
let raw: Awaited<ReturnType<typeof startRawUpstream>>;
let key: string;
let token: string;
let otherToken: string;

beforeAll(async () => {
  raw = await startRawUpstream();
  system = await startSystem({
    upstreams: { raw: `${raw.url}/base` },
    entries: {
      'by-key': { upstream: { rest: raw.url }, injection: { header: 'X-Api-Key', scheme: '' } },
      'raw-mcp': { upstream: { mcp: raw.url } },
    },
    agentIdleMs: 500,
  });
  ({ accessToken: token } = await system.connect('acme', 'raw'));
  await system.connect('acme', 'by-key');
  await system.connect('acme', 'raw-mcp');
  ({ accessToken: otherToken } = await system.connect('umbrella', 'raw'));
  ({ key } = await system.createAgent({ tenants: ['acme'] }));
});
beforeEach(() => {
  raw.received = '';
  raw.handle = (text, socket) => {
    if (text.includes('\r\n\r\n')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  };
});
afterAll(async () => {
  await system.close();
  await raw.close();
});

const line = (method = 'POST', target = '/proxy/raw/a') => `${method} ${target} HTTP/1.1\r\n`;
const authorized = () => `Host: x\r\nAuthorization: Bearer ${key}\r\n`;
const smuggled = () => `GET /proxy/raw/smuggled HTTP/1.1\r\n${authorized()}\r\n`;
/** Requests that upstreams were asked, by their request lines. */
const asked = () => [...raw.received.matchAll(/^([A-Z]+ \S+) HTTP\/1\.1\r$/gm)].map(([, it]) => it);

describe('what two servers might read differently is refused, and the connection ends:', () => {
  test.each([
    ['CL.TE', 'Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['TE.CL', 'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n'],
    ['lengths that differ', 'Content-Length: 0\r\nContent-Length: 44\r\n\r\n'],
    ['the same length twice', 'Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello'],
    ['a list of lengths', 'Content-Length: 5, 5\r\n\r\nhello'],
    ['a length with a sign', 'Content-Length: +5\r\n\r\nhello'],
    ['a negative length', 'Content-Length: -5\r\n\r\nhello'],
    ['a length in hex', 'Content-Length: 0x5\r\n\r\nhello'],
    ['a length beyond all numbers', `Content-Length: ${'9'.repeat(30)}\r\n\r\n`],
    ['an unknown transfer coding', 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['chunked before another coding', 'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n'],
    [
      'chunked in two headers',
      'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n',
    ],
    ['a chunk size that is no number', 'Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n'],
    ['a chunk size beyond all numbers', `Transfer-Encoding: chunked\r\n\r\n${'f'.repeat(20)}\r\nx\r\n`],
    ['a chunk longer than its size', 'Transfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n'],
    ['a bare LF after a chunk size', 'Transfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n'],
    ['a folded header', 'X-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n'],
    ['a folded length', 'Content-Length:\r\n 5\r\n\r\nhello'],
    ['a space before the colon', 'Content-Length : 5\r\n\r\nhello'],
    ['a tab before the colon', 'Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n'],
    ['a header without a name', ': x\r\n\r\n'],
    ['a header without a colon', 'X-A\r\n\r\n'],
    ['a bare CR in a value', 'X-A: 1\rX-B: 2\r\n\r\n'],
    ['a bare LF between headers', 'X-A: 1\nX-B: 2\r\n\r\n'],
    ['a NUL in a value', 'X-A: 1\x002\r\n\r\n'],
    ['a NUL in a name', 'X\x00A: 1\r\n\r\n'],
    ['a control character in a name', 'X\x0bA: 1\r\n\r\n'],
  ])('%s', async (_what, rest) => {
    const answer = await exchange(system.url, `${line()}${authorized()}${rest}${smuggled()}`);
    expect(statuses(answer)).toEqual([400]);
    expect(asked()).not.toContain('GET /base/smuggled');
  });

  test.each([
    [
      'two Hosts',
      `${line('GET')}Host: x\r\nHost: y\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n`,
    ],
    ['no version', 'GET /proxy/raw/a\r\nHost: x\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n'],
    ['another version', 'GET /proxy/raw/a HTTP/1.2\r\nHost: x\r\n\r\n'],
    ['HTTP/2 without being asked', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a method that there is not', `G\x00T /proxy/raw/a HTTP/1.1\r\nHost: x\r\n\r\n`],
    ['a space in the target', 'GET /proxy/raw/a b HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a NUL in the target', 'GET /proxy/raw/a\x00b HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['TLS on a plain port', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
  ])('%s', async (_what, bytes) => {
    const answer = await exchange(system.url, bytes.replace('{key}', key));
    expect(statuses(answer)).toEqual([400]);
    expect(asked()).toEqual([]);
  });
});

test('extensions of chunks end here: the upstream gets a body that is framed anew', async () => {
  const chunks = '4;a=b\r\nbody\r\n0;c\r\n\r\n';
  raw.handle = (_text, upstream) => {
    if (raw.received.endsWith('body')) upstream.write('HTTP/1.1 204 No Content\r\n\r\n');
  };
  const { socket } = dial(system.url);
  socket.write(`${line()}${authorized()}Transfer-Encoding: chunked\r\n\r\n${chunks}`);
  await expect.poll(() => raw.received).toMatch(/content-length: 4\r\n\r\nbody$/i);
  socket.destroy();
});

test('a body in another coding below its chunks is refused: the upstream would take it for the content', async () => {
  const body = 'Transfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
  expect(statuses(await exchange(system.url, `${line()}${authorized()}${body}`))).toEqual([400]);
  expect(asked()).toEqual([]);
});

test('chunked that is followed by a length in another case is refused as well', async () => {
  const bytes = `${line()}${authorized()}tRANSFER-eNCODING: CHUNKED\r\ncONTENT-lENGTH: 3\r\n\r\n0\r\n\r\n`;
  expect(statuses(await exchange(system.url, bytes))).toEqual([400]);
});

describe('the token is not taken away, replaced or doubled by', () => {
  test.each([
    ['Connection: authorization', 'raw', 'Connection: authorization\r\n'],
    ['Connection: close, Authorization', 'raw', 'Connection: close, Authorization\r\n'],
    ['Connection with our header’s name', 'by-key', 'Connection: x-api-key\r\n'],
    ['a header of the same name', 'by-key', 'X-Api-Key: mine\r\nx-api-key: mine\r\n'],
    ['Proxy-Authorization', 'raw', 'Proxy-Authorization: Bearer mine\r\n'],
    ['the agent’s cookie', 'raw', 'Cookie: session=mine\r\n'],
  ])('%s', async (_what, integration, headers) => {
    const { accessToken } = await system.admin.getCredentials('acme', integration);
    const head = `${line('GET', `/proxy/${integration}/a`)}${authorized()}${headers}`;
    const { socket, received } = dial(system.url);
    socket.write(`${head}\r\n`);
    await expect.poll(received).toMatch(/ok$/);
    socket.destroy();
    const arrived = raw.received;
    expect(arrived.split(accessToken)).toHaveLength(2);
    expect(arrived).not.toContain('mine');
    expect(arrived).not.toContain(key);
  });
});

describe('an agent is not known by', () => {
  test.each([
    ['another scheme', () => `Authorization: Basic ${Buffer.from(`a:${key}`).toString('base64')}`],
    ['its key without a scheme', () => `Authorization: ${key}`],
    ['its key in a cookie', () => `Cookie: authorization=Bearer ${key}`],
    ['its key in Proxy-Authorization', () => `Proxy-Authorization: Bearer ${key}`],
    ['its key in X-Forwarded-Authorization', () => `X-Forwarded-Authorization: Bearer ${key}`],
    ['a second Authorization', () => `Authorization: Bearer cak_nobody_x\r\nAuthorization: Bearer ${key}`],
    ['a list in Authorization', () => `Authorization: Bearer cak_nobody_x, Bearer ${key}`],
  ])('%s', async (_what, header) => {
    const bytes = `${line('GET')}Host: x\r\n${header()}\r\nConnection: close\r\n\r\n`;
    expect(statuses(await exchange(system.url, bytes))).toEqual([401]);
    expect(asked()).toEqual([]);
  });

  test('its key in the query', async () => {
    const bytes = `${line('GET', `/proxy/raw/a?access_token=${key}`)}Host: x\r\nConnection: close\r\n\r\n`;
    expect(statuses(await exchange(system.url, bytes))).toEqual([401]);
  });
});

describe('a path that climbs reaches nothing:', () => {
  test.each([
    '/proxy/raw/../../x',
    '/proxy/raw/a/../../x',
    '/proxy/raw/%2e%2e/x',
    '/proxy/raw/%2E%2E%2Fx',
    '/proxy/raw/..%2fx',
    '/proxy/raw/..%5cx',
    '/proxy/raw/..\\x',
    '/proxy/raw/%252e%252e/x',
    '/proxy/raw/%25252e%25252e%25252fx',
    '/proxy/raw/%c0%ae%c0%ae/x',
    '/proxy/raw/%e0%80%ae%e0%80%ae/x',
    '/proxy/raw/%u002e%u002e/x',
    '/proxy/raw/..;/x',
    '/proxy/raw/..;a=b/x',
    '/proxy/raw/..%3bx/x',
    '/proxy/raw/.',
    '/proxy/raw//evil.example/x',
    '/proxy/raw/\\evil.example/x',
    '/proxy/../proxy/raw/x',
    '/proxy/%72aw/x',
    '/proxy/raw%2fx',
    '/proxy/raw;x/a',
    '/proxy/raw/a#b',
  ])('%s', async (target) => {
    const bytes = `${line('GET', target)}${authorized()}Connection: close\r\n\r\n`;
    expect(statuses(await exchange(system.url, bytes))).toEqual([400]);
    expect(asked()).toEqual([]);
  });
});

describe('a target that is no path reaches nothing:', () => {
  test.each([
    ['an absolute form with another host', 'GET http://evil.example/proxy/raw/x'],
    ['an absolute form with the upstream’s host', 'GET {upstream}/base/x'],
    ['an absolute form with our own host', 'GET http://x/proxy/raw/x'],
    ['an absolute form in https', 'GET https://x/proxy/raw/x'],
    ['an asterisk', 'OPTIONS *'],
    ['an authority', 'GET evil.example:80'],
    ['a query alone', 'GET ?x'],
  ])('%s', async (_what, target) => {
    const head = `${target.replace('{upstream}', raw.url)} HTTP/1.1\r\n${authorized()}Connection: close\r\n\r\n`;
    expect(statuses(await exchange(system.url, head))[0]).toBeGreaterThanOrEqual(400);
    expect(asked()).toEqual([]);
  });

  test('CONNECT', async () => {
    const answer = await exchange(system.url, `CONNECT evil.example:443 HTTP/1.1\r\n${authorized()}\r\n`);
    expect(statuses(answer).filter((status) => status < 400)).toEqual([]);
    expect(asked()).toEqual([]);
  });
});

test('TRACE is refused: the upstream would send the token back', async () => {
  const answer = await exchange(system.url, `${line('TRACE')}${authorized()}Connection: close\r\n\r\n`);
  expect(statuses(answer)).toEqual([400]);
  expect(asked()).toEqual([]);
});

describe('too much of something is refused:', () => {
  test.each([
    ['one large header', () => `X-A: ${'x'.repeat(20_000)}\r\n`, 400],
    ['headers that are large together', () => 'X-A: 0123456789\r\n'.repeat(1_200), 400],
    ['many small headers', () => 'a:\r\n'.repeat(2_500), 400],
    ['a header name without end', () => `${'x'.repeat(20_000)}: 1\r\n`, 400],
  ])('%s', async (_what, headers, status) => {
    const bytes = `${line('GET')}${authorized()}${headers()}Connection: close\r\n\r\n`;
    expect(statuses(await exchange(system.url, bytes))).toEqual([status]);
    expect(asked()).toEqual([]);
  });

  test('a large URL', async () => {
    const bytes = `${line('GET', `/proxy/raw/${'x'.repeat(20_000)}`)}${authorized()}\r\n`;
    expect(statuses(await exchange(system.url, bytes))).toEqual([400]);
  });
});

describe('a slow agent is cut off', () => {
  test.each([
    ['in its request line', 'GET /proxy/raw/'],
    ['in its headers', `GET /proxy/raw/a HTTP/1.1\r\nHost: x\r\nX-A: `],
  ])('%s', async (_where, begun) => {
    const { socket, received } = dial(system.url);
    socket.write(begun);
    const dripping = setInterval(() => socket.write('x'), 100);
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(dripping);
    expect(statuses(received())).toEqual([400]);
  });

  test.each([
    ['declared', 'Content-Length: 100'],
    ['chunked', 'Transfer-Encoding: chunked'],
  ])('in its body, %s', async (_how, header) => {
    const answer = await exchange(system.url, `${line()}${authorized()}${header}\r\n\r\n5`);
    expect(statuses(answer)).toEqual([400]);
    expect(asked()).toEqual([]);
  });

  test('and hundreds of them keep nobody else out', async () => {
    const slow = Array.from({ length: 300 }, () => dial(system.url).socket);
    for (const socket of slow) socket.write('GET /proxy/raw/a HTTP/1.1\r\nHost: x\r\n');
    const answer = await call(system.url, '/proxy/raw/a', { headers: bearer(key) });
    expect(answer.status).toBe(200);
    for (const socket of slow) socket.destroy();
  });
});

describe('another tenant is not reached', () => {
  test.each([
    ['in the header', '/proxy/raw/a', { 'x-tenant-id': 'umbrella' }, 403],
    ['twice in the header', '/proxy/raw/a', { 'x-tenant-id': ['acme', 'umbrella'] }, 403],
    ['as a list in the header', '/proxy/raw/a', { 'x-tenant-id': 'acme,umbrella' }, 403],
    ['as a path in the header', '/proxy/raw/a', { 'x-tenant-id': '../umbrella' }, 403],
    ['in the header of another name', '/proxy/raw/a', { 'tenant-id': 'umbrella' }, 200],
    ['in the query', '/proxy/raw/a?tenant=umbrella&tenantId=umbrella&X-Tenant-Id=umbrella', {}, 200],
    ['in the path', '/proxy/umbrella/raw/a', {}, 404],
    ['in the path of its credential', '/proxy/umbrella%2fraw/a', {}, 400],
  ])('%s', async (_where, path, headers, status) => {
    const answer = await call(system.url, path, { headers: { ...bearer(key), ...headers } });
    expect(answer.status).toBe(status);
    expect(raw.received).not.toContain(otherToken);
    expect(raw.received.includes(token)).toBe(status === 200);
  });
});

test('an MCP session is not named in another spelling of its header', async () => {
  const headers = { ...bearer(key), Mcp_Session_Id: 'stolen', 'mcp_session-id': 'stolen' };
  expect((await call(system.url, '/mcp/raw-mcp', { headers })).status).toBe(200);
  expect(raw.received).not.toContain('stolen');
});

test('requests in one write are answered in order, each with its own credential', async () => {
  raw.handle = (text, socket) => {
    for (const [, path = ''] of text.matchAll(/^GET (\S+) HTTP/gm)) {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`);
    }
  };
  const other = await system.createAgent({ tenants: ['umbrella'] });
  const bytes = [
    `${line('GET', '/proxy/raw/1')}${authorized()}\r\n`,
    `${line('GET', '/proxy/raw/2')}Host: x\r\nAuthorization: Bearer ${other.key}\r\n\r\n`,
    `${line('GET', '/proxy/raw/3')}Host: x\r\nConnection: close\r\n\r\n`,
  ].join('');
  const answer = await exchange(system.url, bytes);
  expect(statuses(answer)).toEqual([200, 200, 401]);
  expect(answer).toMatch(/\/base\/1[^]*\/base\/2/);
  const arrived = raw.received;
  expect(arrived).toMatch(new RegExp(`/base/1 HTTP[^]*?Bearer ${token}\r\n`));
  expect(arrived).toMatch(new RegExp(`/base/2 HTTP[^]*?Bearer ${otherToken}\r\n`));
});

test.each([
  ['an answer that is under way', 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nbegun', [200]],
  ['an answer that is still to come', '', []],
])('what cannot be parsed is not answered within %s', async (_what, begun, expected) => {
  raw.handle = (_text, socket) => void socket.write(begun);
  const { socket, received } = dial(system.url);
  socket.write(`${line('GET')}${authorized()}\r\n`);
  await expect.poll(() => received().includes('begun') || asked().length === 1).toBe(true);
  await expect.poll(() => received().endsWith('begun') || begun === '').toBe(true);
  // Answered at once, but it has to wait for its turn.
  socket.write(`GET /proxy/raw/%5c HTTP/1.1\r\n${authorized()}\r\nno HTTP\r\n\r\n`);
  await new Promise((resolve) => socket.once('close', resolve));
  expect(statuses(received())).toEqual(expected);
});

test('an answer that breaks off behind another one ends the connection', async () => {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const { promise: broken, resolve: breakOff } = Promise.withResolvers<void>();
  raw.handle = (text, socket) => {
    if (text.includes('/first')) {
      ask();
      void broken.then(() => socket.write('HTTP/1.1 204 No Content\r\n\r\n'));
    } else {
      socket.once('close', () => breakOff());
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegun');
    }
  };
  const { socket } = dial(system.url);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(`${line('GET', '/proxy/raw/first')}${authorized()}\r\n`);
  await asked;
  socket.write(`${line('GET', '/proxy/raw/second')}${authorized()}\r\n`);
  await expect(closed).resolves.toBeDefined();
});

test('requests that wait behind another one are forgotten when their connection ends', async () => {
  const inFlight = async () => {
    const { text } = await call(system.url, '/metrics');
    return /^connectors_proxy_requests_in_flight (\d+)/m.exec(text)?.[1];
  };
  raw.handle = () => undefined;
  const sockets = Array.from({ length: 5 }, () => dial(system.url).socket);
  for (const socket of sockets) {
    socket.write(`${line('GET')}${authorized()}\r\n`.repeat(20));
  }
  await expect.poll(inFlight).toBe('100');
  for (const socket of sockets) socket.destroy();
  await expect.poll(inFlight).toBe('0');
});

test('after all this the proxy serves on', async () => {
  expect((await call(system.url, '/proxy/raw/a', { headers: bearer(key) })).status).toBe(200);
  expect(system.lines.join('\n')).not.toContain('internal error');
});
