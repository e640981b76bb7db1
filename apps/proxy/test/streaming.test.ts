import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { bearer, call, open, problemOf } from './call.ts';
import { startSystem, type System } from './start-system.ts';
import { startUpstream } from './start-upstream.ts';

let system: System;
let bare: Awaited<ReturnType<typeof startUpstream>>;
let key: string;

beforeAll(async () => {
  bare = await startUpstream();
  system = await startSystem({
    upstreams: { bare: bare.url, gone: 'http://127.0.0.1:1' },
    headersTimeoutMs: 1_100,
  });
  await system.connect('acme', 'bare');
  await system.connect('acme', 'gone');
  ({ key } = await system.createAgent({ tenants: ['acme'] }));
});
afterAll(async () => {
  await system.close();
  await bare.close();
});

/** Holds the upstream's next exchange in the test's hands. */
function nextExchange(): Promise<{ request: IncomingMessage; response: ServerResponse }> {
  const { promise, resolve } = Promise.withResolvers<{
    request: IncomingMessage;
    response: ServerResponse;
  }>();
  bare.handle = (request, response) => resolve({ request, response });
  return promise;
}

test('headers arrive before there is a body, and each event as it is sent', async () => {
  const upstream = nextExchange();
  const opening = open(system.url, '/proxy/bare/', { headers: bearer(key) });
  const { response } = await upstream;
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  const received = await opening;
  expect(received.headers['content-type']).toBe('text/event-stream');
  for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
    const arrival = once(received, 'data') as Promise<[Buffer]>;
    response.write(event);
    expect((await arrival)[0].toString()).toBe(event);
  }
  response.end();
  await once(received, 'end');
});

test('an agent that goes away before the answer has begun takes the upstream request along', async () => {
  const upstream = nextExchange();
  const agent = connect(Number(new URL(system.url).port), '127.0.0.1');
  agent.write(`GET /proxy/bare/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n\r\n`);
  const { response } = await upstream;
  agent.destroy();
  await expect.poll(() => response.closed).toBe(true);
});

test('an agent that goes away in the middle of the answer takes the upstream request along', async () => {
  const upstream = nextExchange();
  const opening = open(system.url, '/proxy/bare/', { headers: bearer(key) });
  const { response } = await upstream;
  response.write('begun');
  const received = await opening;
  received.on('error', () => undefined);
  received.destroy();
  await once(response, 'close');
  expect(response.writableFinished).toBe(false);
});

test('an answer that the agent did not wait for counts as aborted', async () => {
  const counted = async () => {
    const { text } = await call(system.url, '/metrics');
    const series = 'connectors_proxy_requests_total{integration="bare",status="aborted"} ';
    return Number(
      text
        .split('\n')
        .find((line) => line.startsWith(series))
        ?.slice(series.length) ?? 0,
    );
  };
  const before = await counted();
  const upstream = nextExchange();
  const opening = open(system.url, '/proxy/bare/', { headers: bearer(key) });
  (await upstream).response.write('begun');
  (await opening).on('error', () => undefined).destroy();
  await expect.poll(counted).toBe(before + 1);
});

test('an agent that goes away in the middle of its body takes the upstream request along', async () => {
  const upstream = nextExchange();
  const agent = connect(Number(new URL(system.url).port), '127.0.0.1');
  agent.write(
    `POST /proxy/bare/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Length: 9000000\r\n\r\n`,
  );
  agent.write('begun');
  const { request } = await upstream;
  request.on('error', () => undefined);
  agent.destroy();
  await expect.poll(() => request.closed).toBe(true);
  expect(request.complete).toBe(false);
});

test.each([
  [1_000, 'short'],
  [9_000_000, 'long'],
])('an agent that goes away in the middle of %i bytes is no error of ours', async (length, name) => {
  bare.handle = (request) => void request.resume();
  const agent = connect(Number(new URL(system.url).port), '127.0.0.1');
  agent.write(`POST /proxy/bare/gone-${name} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n`);
  agent.write(`Content-Length: ${length}\r\n\r\nbegun`, () => agent.destroy());
  const line = await vi.waitUntil(() => system.lines.find((text) => text.includes(`/gone-${name}`)));
  expect(JSON.parse(line)).toMatchObject({ msg: 'request', aborted: true });
  expect(system.lines.filter((text) => text.includes('"error"') && text.includes(`/gone-${name}`))).toEqual(
    [],
  );
  expect(system.lines.join('\n')).not.toContain('internal error');
});

test('what cannot be parsed while an answer is under way ends it, and is not answered within it', async () => {
  bare.handle = (_request, response) => void response.write('begun');
  const agent = connect(Number(new URL(system.url).port), '127.0.0.1');
  agent.write(`POST /proxy/bare/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n`);
  agent.write(`Content-Length: 0\r\n\r\n`);
  let received = '';
  agent.on('data', (chunk: Buffer) => (received += chunk.toString()));
  await vi.waitUntil(() => received.includes('begun'));
  agent.write('no HTTP\r\n\r\n');
  await once(agent, 'close');
  expect(received).not.toContain('400');
});

test('an upstream that breaks off in the middle breaks the answer off, too', async () => {
  bare.handle = (_request, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('begun', () => response.destroy());
  };
  const received = await open(system.url, '/proxy/bare/', { headers: bearer(key) });
  const [error] = (await once(received.resume(), 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNRESET');
});

describe('an upstream that hangs up before its answer, as on a connection that was idle,', () => {
  /** Hangs up so many times, then answers; returns how often it was asked. */
  function hangUp(times: number): () => number {
    let asked = 0;
    bare.handle = (request, response) => {
      asked += 1;
      if (asked <= times) request.socket.destroy();
      else response.end('here');
    };
    return () => asked;
  }

  test('is asked once more for what is safe to ask again', async () => {
    const asked = hangUp(1);
    const answer = await call(system.url, '/proxy/bare/', { headers: bearer(key) });
    expect([answer.status, answer.body.toString(), asked()]).toEqual([200, 'here', 2]);
  });

  test('twice is a 502', async () => {
    const asked = hangUp(2);
    const answer = await call(system.url, '/proxy/bare/', { headers: bearer(key) });
    expect([answer.status, problemOf(answer).code, asked()]).toEqual([502, 'upstream_unreachable', 2]);
  });

  test.each(['POST', 'DELETE'])(
    'is not sent a %s again, which may have been carried out: 502',
    async (method) => {
      const asked = hangUp(1);
      const answer = await call(system.url, '/proxy/bare/', { method, headers: bearer(key) });
      expect([answer.status, problemOf(answer).code, asked()]).toEqual([502, 'upstream_unreachable', 1]);
    },
  );
});

test('an upstream that cannot be reached is a 502', async () => {
  const answer = await call(system.url, '/proxy/gone/', { headers: bearer(key) });
  expect([answer.status, problemOf(answer).code]).toEqual([502, 'upstream_unreachable']);
});

test('an upstream that does not begin its answer in time is a 504', async () => {
  bare.handle = () => undefined;
  const answer = await call(system.url, '/proxy/bare/', { headers: bearer(key) });
  expect([answer.status, problemOf(answer).code]).toEqual([504, 'upstream_timeout']);
});

test('an upstream whose answer cannot be passed on is a 502', async () => {
  bare.handle = (request) => request.socket.end('HTTP/1.1 200 OK\r\nBad Header: x\r\n\r\n');
  const answer = await call(system.url, '/proxy/bare/', { headers: bearer(key) });
  expect([answer.status, problemOf(answer).code]).toEqual([502, 'upstream_unreachable']);
});

test('a reason phrase that cannot be written is left out', async () => {
  bare.handle = (request) => request.socket.end('HTTP/1.1 200 \u5947\r\nContent-Length: 0\r\n\r\n');
  const answer = await call(system.url, '/proxy/bare/', { headers: bearer(key) });
  expect([answer.status, answer.statusMessage]).toEqual([200, '']);
});

test('an upstream may answer before it has read a large body, on a connection that stays usable', async () => {
  bare.handle = (_request, response) => response.writeHead(422).end('enough');
  const body = Buffer.alloc(8 * 1024 * 1024);
  const answer = await call(system.url, '/proxy/bare/', { method: 'POST', headers: bearer(key), body });
  expect([answer.status, answer.text]).toEqual([422, 'enough']);
});

test('a slow agent slows the upstream down', async () => {
  let written = 0;
  bare.handle = (_request, response) => {
    const source = new Readable({
      read() {
        const chunk = Buffer.alloc(64 * 1024);
        written += chunk.length;
        this.push(written > 256 * 1024 * 1024 ? null : chunk);
      },
    });
    response.on('close', () => source.destroy());
    source.pipe(response);
  };
  const received = await open(system.url, '/proxy/bare/', { headers: bearer(key) });
  // It has stopped once two looks in a row see the same.
  let last = -1;
  await vi.waitUntil(() => written === last || ((last = written), false), { interval: 200, timeout: 10_000 });
  expect(written).toBeLessThan(64 * 1024 * 1024);
  received.on('error', () => undefined).destroy();
});

test('a slow upstream slows the agent down', async () => {
  const upstream = nextExchange();
  let read = 0;
  const body = new Readable({
    read() {
      const chunk = Buffer.alloc(64 * 1024);
      read += chunk.length;
      this.push(read > 256 * 1024 * 1024 ? null : chunk);
    },
  });
  const answering = call(system.url, '/proxy/bare/', { method: 'POST', headers: bearer(key), body });
  const { response } = await upstream;
  let last = -1;
  await vi.waitUntil(() => read === last || ((last = read), false), { interval: 200, timeout: 10_000 });
  expect(read).toBeLessThan(64 * 1024 * 1024);
  response.end('enough');
  expect((await answering).text).toBe('enough');
  body.destroy();
});

/** What the kernel has a timer for on the connection from this port, as proc(5) has it: 2 is to probe the peer. */
const timerOf = async (port: number) => {
  const row = (await readFile('/proc/net/tcp', 'utf8'))
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(([, , remote]) => remote?.endsWith(`:${port.toString(16).toUpperCase().padStart(4, '0')}`));
  return row?.[5]?.slice(0, 2);
};

test.runIf(process.platform === 'linux')(
  'an agent that vanished without a word is found out: its connection is probed',
  async () => {
    bare.handle = (_request, response) => void response.write('begun');
    const response = await open(system.url, '/proxy/bare/', { headers: bearer(key) });
    await once(response, 'data');
    await expect.poll(() => timerOf(response.socket.localPort ?? 0)).toBe('02');
    response.on('error', () => undefined).destroy();
  },
);
