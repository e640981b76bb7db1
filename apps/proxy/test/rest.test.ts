import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { bearer, call, open, problemOf } from './call.ts';
import { startSystem, type System } from './start-system.ts';
import { startUpstream } from './start-upstream.ts';

let system: System;
let bare: Awaited<ReturnType<typeof startUpstream>>;
let key: string;

beforeAll(async () => {
  bare = await startUpstream();
  system = await startSystem({ upstreams: { bare: bare.url }, agentIdleMs: 400 });
  await system.connect('acme', 'bare');
  ({ key } = await system.createAgent({ tenants: ['acme'] }));
});
afterAll(async () => {
  await system.close();
  await bare.close();
});

/** A connection on which a request has begun, and what has been answered on it. */
function begin(head: string[], body = ''): { socket: Socket; answered: () => string } {
  const socket = connect(Number(new URL(system.url).port), '127.0.0.1');
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.write([head[0], 'Host: x', ...head.slice(1), '', body].join('\r\n'));
  return { socket, answered: () => text };
}
const authorized = () => `Authorization: Bearer ${key}`;

async function bodyOf(request: IncomingMessage): Promise<string> {
  return (await buffer(request)).toString('latin1');
}

test('a part of a resource is asked for and answered as it is', async () => {
  let range: string | undefined;
  bare.handle = (request, response) => {
    ({ range } = request.headers);
    response.writeHead(206, { 'content-range': 'bytes 2-4/10', 'accept-ranges': 'bytes' }).end('cde');
  };
  const headers = { ...bearer(key), range: 'bytes=2-4', 'if-range': '"1"' };
  const answer = await call(system.url, '/proxy/bare/', { headers });
  expect([range, answer.status, answer.headers['content-range'], answer.text]).toEqual([
    'bytes=2-4',
    206,
    'bytes 2-4/10',
    'cde',
  ]);
});

test('a multipart body arrives byte for byte, with its boundary', async () => {
  const body = Buffer.from(
    '--b\r\nContent-Disposition: form-data; name="f"; filename="\xe9"\r\n\r\n\x00\xff\r\n--b--\r\n',
    'latin1',
  );
  let received: [string | undefined, string] | undefined;
  bare.handle = (request, response) =>
    void bodyOf(request).then((text) => {
      received = [request.headers['content-type'], text];
      response.end();
    });
  const headers = { ...bearer(key), 'content-type': 'multipart/form-data; boundary=b' };
  await call(system.url, '/proxy/bare/', { method: 'POST', headers, body });
  expect(received).toEqual(['multipart/form-data; boundary=b', body.toString('latin1')]);
});

test('requests one after the other share one connection to the upstream', async () => {
  const sockets = new Set<Socket>();
  bare.handle = ({ socket }, response) => {
    sockets.add(socket);
    response.end('x');
  };
  for (let more = 0; more < 5; more += 1) await call(system.url, '/proxy/bare/', { headers: bearer(key) });
  expect(sockets.size).toBe(1);
});

test('hints before the answer are not passed on, and do not disturb it', async () => {
  bare.handle = (_request, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload' });
    response.writeProcessing();
    response.end('answer');
  };
  const { answered } = begin(['GET /proxy/bare/ HTTP/1.1', authorized(), 'Connection: close']);
  await expect.poll(answered).toContain('answer');
  expect(answered()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(answered()).not.toContain('preload');
});

test('a request whose trailers are announced is refused', async () => {
  const headers = { ...bearer(key), trailer: 'x-sum', 'transfer-encoding': 'chunked' };
  const answer = await call(system.url, '/proxy/bare/', { method: 'POST', headers, body: 'x' });
  expect([answer.status, problemOf(answer).detail]).toEqual([400, 'Trailers of requests are not passed on']);
});

test.each([
  ['small', '1'],
  ['streamed', '200000'],
])('a request whose trailers come unannounced after a %s body is refused', async (_size, length) => {
  let isWhole: boolean | undefined;
  bare.handle = (request, response) => {
    request.resume().on('close', () => (isWhole = request.complete));
    request.on('end', () => response.end());
    request.on('error', () => undefined);
  };
  const size = parseInt(length, 16);
  const { answered, socket } = begin(
    ['POST /proxy/bare/ HTTP/1.1', authorized(), 'Transfer-Encoding: chunked'],
    `${length}\r\n${'x'.repeat(size)}\r\n0\r\nAuthorization: x\r\n\r\n`,
  );
  await once(socket, 'close');
  expect(answered()).toMatch(/^HTTP\/1\.1 400 [^]*Trailers of requests are not passed on/);
  expect(isWhole).not.toBe(true);
});

test('a body is invited only when its request may be made, and then once', async () => {
  bare.handle = (request, response) => void bodyOf(request).then((text) => response.end(`got ${text}`));
  const head = ['Content-Length: 4', 'Expect: 100-continue'];
  const allowed = begin(['POST /proxy/bare/ HTTP/1.1', authorized(), ...head]);
  await expect.poll(allowed.answered).toBe('HTTP/1.1 100 Continue\r\n\r\n');
  allowed.socket.write('body');
  await expect.poll(allowed.answered).toContain('got body');
  expect(allowed.answered()).toContain('Connection: keep-alive');
  allowed.socket.destroy();
});

test.each([
  ['an agent that is not known', '/proxy/bare/', 'Authorization: Bearer cak_nobody_x', 401],
  ['a tenant that is not granted', '/proxy/bare/', 'X-Tenant-Id: other', 403],
  ['what is not connected', '/proxy/demo/', 'X-A: 1', 424],
])('the body of %s is not invited, and the connection ends', async (_what, path, header, status) => {
  const lines = header.startsWith('Authorization') ? [header] : [authorized(), header];
  const { socket, answered } = begin([
    `POST ${path} HTTP/1.1`,
    ...lines,
    'Content-Length: 4000000',
    'Expect: 100-continue',
  ]);
  await once(socket, 'close');
  expect(answered()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(answered()).toContain('Connection: close');
});

test('headers that do not come to an end are refused', async () => {
  const socket = connect(Number(new URL(system.url).port), '127.0.0.1');
  socket.write('GET /proxy/bare/ HTTP/1.1\r\nHost: x\r\nX-Slow: ');
  const dripping = setInterval(() => socket.write('x'), 50);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  clearInterval(dripping);
  expect(chunk.toString()).toMatch(/^HTTP\/1\.1 400 [^]*The headers did not arrive in time/);
  socket.destroy();
});

test.each([100, 4_000_000])('a body of %i bytes that stops coming is refused', async (length) => {
  bare.handle = (request) => void request.resume().on('error', () => undefined);
  const { socket, answered } = begin(
    ['POST /proxy/bare/ HTTP/1.1', authorized(), `Content-Length: ${length}`],
    'begun',
  );
  await once(socket, 'close');
  expect(answered()).toMatch(/^HTTP\/1\.1 400 [^]*The body did not arrive in time/);
});

test('a body that waits for a slow upstream is not taken for a slow agent', async () => {
  const { promise: asked, resolve: ask } = Promise.withResolvers<() => void>();
  bare.handle = (request, response) => ask(() => request.resume().on('end', () => response.end('all')));
  let sent = 0;
  const body = new Readable({
    read() {
      const chunk = sent < 16 * 1024 * 1024 ? Buffer.alloc(64 * 1024) : null;
      sent += chunk?.length ?? 0;
      this.push(chunk);
    },
  });
  const answering = call(system.url, '/proxy/bare/', { method: 'POST', headers: bearer(key), body });
  const readOn = await asked;
  // Nothing moves for longer than an agent may be silent.
  let last = -1;
  await vi.waitUntil(() => sent === last || ((last = sent), false), { interval: 600, timeout: 10_000 });
  readOn();
  expect((await answering).text).toBe('all');
});

test('an answer to HEAD that names a length leaves the connection usable', async () => {
  bare.handle = (request, response) =>
    response.writeHead(200, { 'content-length': 5 }).end(request.method === 'HEAD' ? undefined : 'hello');
  for (let more = 0; more < 3; more += 1) {
    const head = await open(system.url, '/proxy/bare/', { method: 'HEAD', headers: bearer(key) });
    await once(head.resume(), 'end');
    expect((await call(system.url, '/proxy/bare/', { headers: bearer(key) })).text).toBe('hello');
  }
});
