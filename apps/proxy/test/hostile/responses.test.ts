import { once } from 'node:events';
import type { LookupAddress } from 'node:dns';
import type { Socket } from 'node:net';
import { EgressGuard } from '@connectors/egress';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bearer, call, open, problemOf } from '../call.ts';
import { startRawUpstream } from '../raw.ts';
import { startSystem, type System } from '../start-system.ts';

let system: System;
let raw: Awaited<ReturnType<typeof startRawUpstream>>;
let elsewhere: Awaited<ReturnType<typeof startRawUpstream>>;
let key: string;
let token: string;
/** What the name `rebinding.example` leads to. */
let addresses: LookupAddress[] = [];

beforeAll(async () => {
  [raw, elsewhere] = await Promise.all([startRawUpstream(), startRawUpstream()]);
  system = await startSystem({
    upstreams: { raw: raw.url, elsewhere: elsewhere.url },
    entries: {
      rebinding: { upstream: { rest: 'https://rebinding.example' } },
      'by-query': { upstream: { rest: raw.url }, injection: { query: 'key' } },
    },
    guard: new EgressGuard({
      allow: ['127.0.0.1'],
      resolve: (_host, _options, done) => done(null, addresses),
    }),
    headersTimeoutMs: 1_100,
  });
  ({ accessToken: token } = await system.connect('acme', 'raw'));
  await system.connect('acme', 'elsewhere');
  await system.connect('acme', 'rebinding');
  ({ key } = await system.createAgent({ tenants: ['acme'] }));
});
beforeEach(() => {
  raw.received = '';
  elsewhere.received = '';
  answer('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
});
afterAll(async () => {
  await system.close();
  await Promise.all([raw.close(), elsewhere.close()]);
});

/** What the upstream says to every request. */
function answer(bytes: string, then: 'stay' | 'end' = 'stay'): void {
  raw.handle = (text, socket) => {
    if (!text.includes('\r\n\r\n')) return;
    socket.write(Buffer.from(bytes, 'latin1'));
    if (then === 'end') socket.end();
  };
}
const get = (path = '/proxy/raw/') => call(system.url, path, { headers: bearer(key) });

describe('an answer that two readers might understand differently is a 502:', () => {
  test.each([
    ['a length together with chunks and rubbish', 'Transfer-Encoding: chunked\r\nContent-Length: x\r\n\r\n'],
    ['lengths that differ', 'Content-Length: 1\r\nContent-Length: 2\r\n\r\nok'],
    ['a length that is no number', 'Content-Length: two\r\n\r\nok'],
    ['a bare LF between headers', 'X-A: 1\nX-B: 2\r\nContent-Length: 0\r\n\r\n'],
    ['a bare CR in a header', 'X-A: 1\rSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n'],
    ['a NUL in a header', 'X-A: 1\x00\r\nContent-Length: 0\r\n\r\n'],
    ['a control character in a header', 'X-A: 1\x01\r\nContent-Length: 0\r\n\r\n'],
    ['a space before the colon', 'X-A : 1\r\nContent-Length: 0\r\n\r\n'],
    ['a header without a name', ': 1\r\nContent-Length: 0\r\n\r\n'],
    ['a huge header', `X-A: ${'x'.repeat(40_000)}\r\nContent-Length: 0\r\n\r\n`],
    ['headers without end', `${'X-A: 1\r\n'.repeat(10_000)}\r\n`],
  ])('%s', async (_what, rest) => {
    answer(`HTTP/1.1 200 OK\r\n${rest}`);
    const received = await get();
    expect([received.status, problemOf(received).code]).toEqual([502, 'upstream_unreachable']);
  });

  test.each([
    ['no status', 'HTTP/1.1 \r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status that is no number', 'HTTP/1.1 abc OK\r\n\r\n'],
    ['a status that there cannot be', 'HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n'],
    ['another protocol', 'ICY 200 OK\r\n\r\n'],
    [
      'an upgrade that nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
    ],
    ['rubbish', '\x00\x01\x02\x03\r\n\r\n'],
  ])('%s', async (_what, bytes) => {
    answer(bytes);
    const received = await get();
    expect([received.status, problemOf(received).code]).toEqual([502, 'upstream_unreachable']);
  });
});

test('a folded header of the upstream does not become two of ours', async () => {
  answer('HTTP/1.1 200 OK\r\nX-A: 1\r\n Set-Cookie: a=1\r\nContent-Length: 2\r\n\r\nok');
  const received = await get();
  expect([received.headers['set-cookie'], received.rawHeaders.join('\n').includes('\nSet-Cookie')]).toEqual([
    undefined,
    false,
  ]);
});

test('interim answers without end are not waited for', async () => {
  raw.handle = (_text, socket) => {
    const more = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'), 10);
    socket.once('close', () => clearInterval(more));
  };
  const received = await get();
  expect([received.status, problemOf(received).code]).toEqual([502, 'upstream_unreachable']);
});

test.each(['HTTP/1.1 200 OK\r\nX-A: 1\r\n', 'HTTP/1.1 200'])(
  'an upstream that stops in the middle of %j is a 504',
  async (begun) => {
    answer(begun);
    const received = await get();
    expect([received.status, problemOf(received).code]).toEqual([504, 'upstream_timeout']);
  },
);

describe('what an upstream sends beyond its answer is nobody’s answer:', () => {
  const extra = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX-Poison: 1\r\n\r\npoison';

  test.each([
    ['behind a length', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['behind chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
    ['behind a 204', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['behind a 204 that names a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello'],
    ['behind a 304 that names a length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello'],
  ])('%s, in the same piece', async (_where, bytes) => {
    const other = await system.createAgent({ tenants: ['acme'] });
    answer(`${bytes}${extra}`);
    await get();
    for (let more = 0; more < 5; more += 1) {
      answer('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine');
      const received = await call(system.url, '/proxy/raw/', { headers: bearer(other.key) });
      expect([received.status, received.text, received.headers['x-poison']]).toEqual([
        200,
        'mine',
        undefined,
      ]);
    }
  });

  test('a moment later: the idle connection is closed', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    let idle: Socket | undefined;
    raw.handle = (_text, socket) => {
      idle = socket.once('close', () => resolve());
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    };
    await get();
    idle?.write(extra);
    await closed;
    answer('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine');
    expect((await get()).text).toBe('mine');
  });

  test('behind a HEAD that has a body', async () => {
    answer('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison');
    const head = await open(system.url, '/proxy/raw/', { method: 'HEAD', headers: bearer(key) });
    await once(head.resume(), 'end');
    answer('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine');
    expect((await get()).text).toBe('mine');
  });
});

test('an answer before the end of the request’s body is passed, and the connection not used again', async () => {
  let connections = 0;
  raw.handle = (text, socket) => {
    if (!text.startsWith('POST')) return;
    connections += 1;
    socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno');
  };
  for (const times of [1, 2]) {
    const body = Buffer.alloc(4 * 1024 * 1024);
    const received = await call(system.url, '/proxy/raw/', { method: 'POST', headers: bearer(key), body });
    expect([received.status, received.text, connections]).toEqual([413, 'no', times]);
  }
});

test('a body that is shorter than it was said breaks off', async () => {
  answer('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc', 'end');
  const received = await open(system.url, '/proxy/raw/', { headers: bearer(key) });
  await expect(once(received.resume(), 'end')).rejects.toMatchObject({ code: 'ECONNRESET' });
});

describe('a redirect', () => {
  test.each([301, 302, 303, 307, 308])('to another host is not followed: %i', async (status) => {
    answer(`HTTP/1.1 ${status} Away\r\nLocation: ${elsewhere.url}/x\r\nContent-Length: 0\r\n\r\n`);
    const received = await get();
    expect([received.status, received.headers.location]).toEqual([status, `${elsewhere.url}/x`]);
    expect(elsewhere.received).toBe('');
  });

  test.each([
    ['plain', (text: string) => text],
    ['percent-encoded', (text: string) => encodeURIComponent(text)],
    [
      'percent-encoded byte for byte',
      (text: string) => text.replace(/./gs, (it) => `%${it.charCodeAt(0).toString(16)}`),
    ],
    [
      'encoded twice',
      (text: string) => encodeURIComponent(text.replace(/./gs, (it) => `%${it.charCodeAt(0).toString(16)}`)),
    ],
  ])('does not carry the token: %s', async (_how, encode) => {
    answer(
      `HTTP/1.1 302 Away\r\nLocation: https://b.example/?t=${encode(token)}&a\r\nContent-Length: 0\r\n\r\n`,
    );
    expect((await get()).headers.location).toBe('https://b.example/?t=[redacted]&a');
  });
});

test('an upstream that echoes the token in a body or another header shows it to the agent: see docs/security.md', async () => {
  answer(`HTTP/1.1 200 OK\r\nX-Echo: ${token}\r\nContent-Length: ${token.length}\r\n\r\n${token}`);
  const received = await get();
  expect([received.headers['x-echo'], received.text]).toEqual([token, token]);
  expect(system.lines.join('\n')).not.toContain(token);
});

describe('a name that leads to another address than it did', () => {
  const internal: LookupAddress[] = [
    { address: '127.0.0.1', family: 4 },
    { address: '10.0.0.1', family: 4 },
    { address: '169.254.169.254', family: 4 },
    { address: '::1', family: 6 },
    { address: '::ffff:10.0.0.1', family: 6 },
    { address: '0.0.0.0', family: 4 },
  ];

  test.each(internal)('is not connected to: $address', async (address) => {
    addresses = [address];
    const received = await get('/proxy/rebinding/');
    expect([received.status, problemOf(received).code]).toEqual([502, 'upstream_unreachable']);
  });

  test('is not connected to when only one of its addresses is internal', async () => {
    addresses = [{ address: '93.184.216.34', family: 4 }, internal[0]!];
    expect((await get('/proxy/rebinding/')).status).toBe(502);
  });

  test('is asked for once per connection: what was judged is what is connected to', async () => {
    let asked = 0;
    const guard = new EgressGuard({
      resolve: (_host, _options, done) => {
        asked += 1;
        done(null, [{ address: asked === 1 ? '93.184.216.34' : '127.0.0.1', family: 4 }]);
      },
    });
    const connectTo = await new Promise((resolve) => {
      guard.lookup('rebinding.example', { all: true }, (_error, found) => resolve(found));
    });
    expect([connectTo, asked]).toEqual([[{ address: '93.184.216.34', family: 4 }], 1]);
  });
});

test('each integration’s token goes to its own host only', async () => {
  elsewhere.handle = (_text, socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  const { accessToken: other } = await system.admin.getCredentials('acme', 'elsewhere');
  await Promise.all([get(), get('/proxy/elsewhere/'), get(), get('/proxy/elsewhere/')]);
  expect([raw.received.includes(other), elsewhere.received.includes(token)]).toEqual([false, false]);
  expect([raw.received.includes(token), elsewhere.received.includes(other)]).toEqual([true, true]);
});

test('after all this the proxy serves on', async () => {
  expect((await get()).text).toBe('ok');
  expect(system.lines.join('\n')).not.toContain('internal error');
});
