import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'undici';
import { bearer, call } from './call.ts';
import { startSystem, type System } from './start-system.ts';
import { startWorker, type Worker } from './start-worker.ts';

/** An upstream that speaks WebSocket as far as a handshake and short, unmasked text frames go. */
const server = createServer((_request, response) => response.end('no socket'));
let accept: (request: IncomingMessage, socket: Socket, head: Buffer) => void;
/** The upstream's ends of what is open. */
let opened: { request: IncomingMessage; socket: Socket }[];
let system: System;
let worker: Worker;
let key: string;
let agentId: string;

const frame = (text: string) => Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]);

function join(request: IncomingMessage, socket: Socket, more = ''): void {
  const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
  const proof = createHash('sha1').update(`${request.headers['sec-websocket-key']}${guid}`).digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${more}Sec-WebSocket-Accept: ${proof}\r\n\r\n`,
  );
  opened.push({ request, socket });
}

beforeAll(async () => {
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => undefined);
    accept(request, socket as Socket, head);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  system = await startSystem({ upstreams: { ws: `${url}/base`, spare: url } });
  worker = await startWorker(system, { cooldownMs: 0 });
  await system.connect('acme', 'ws');
  ({ key, id: agentId } = await system.createAgent({ tenants: ['acme'] }));
});
beforeEach(() => {
  opened = [];
  accept = (request, socket) => join(request, socket);
});
afterAll(() => {
  // The last test has closed what stands before it.
  server.closeAllConnections();
  server.close();
});

/** A client as agents use it. */
function dial(
  path = '/proxy/ws/chat?room=1',
  headers: Record<string, string> = bearer(key),
  protocols = ['chat'],
) {
  return new WebSocket(`${system.url.replace('http', 'ws')}${path}`, { headers, protocols });
}

const handshake = (path: string, agentKey = key) =>
  [
    `GET ${path} HTTP/1.1`,
    'Host: x',
    `Authorization: Bearer ${agentKey}`,
    'Connection: Upgrade, X-Mine',
    'X-Mine: 1',
    'Upgrade: websocket',
    'Origin: https://app.example',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    '\r\n',
  ].join('\r\n');

/** A bare connection after its handshake was sent, and all that came back. */
function raw(path = '/proxy/ws/', agentKey = key, behind: Buffer | string = '') {
  const socket = connect(Number(new URL(system.url).port), '127.0.0.1');
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1'))).on('error', () => undefined);
  socket.write(handshake(path, agentKey));
  socket.write(behind);
  return { socket, received: () => text };
}

test('a client connects through the proxy and talks both ways', async () => {
  accept = (request, socket) => {
    join(request, socket, 'Sec-WebSocket-Protocol: chat\r\n');
    socket.write(frame('hello'));
  };
  const client = dial();
  const [message] = (await once(client, 'message')) as [MessageEvent];
  expect([message.data, client.protocol]).toEqual(['hello', 'chat']);
  const heard = once(opened[0]!.socket, 'data') as Promise<[Buffer]>;
  client.send('ping');
  // FIN and text, masked, four bytes long.
  expect((await heard)[0].subarray(0, 2)).toEqual(Buffer.from([0x81, 0x84]));
  client.close();
  await once(opened[0]!.socket, 'data');
  opened[0]!.socket.end(Buffer.from([0x88, 0]));
  await once(client, 'close');
});

test('the token goes along, the agent’s key does not, and the page that opened the socket is named', async () => {
  const { accessToken } = await system.admin.getCredentials('acme', 'ws');
  const { socket } = raw('/proxy/ws/a%2fb?c=%20');
  const { request } = await vi.waitUntil(() => opened[0]);
  expect(request.url).toBe('/base/a%2fb?c=%20');
  expect(request.headers).toMatchObject({
    authorization: `Bearer ${accessToken}`,
    connection: 'upgrade',
    upgrade: 'websocket',
    origin: 'https://app.example',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  });
  expect(request.headers['x-mine']).toBeUndefined();
  socket.destroy();
});

test('what the agent sends at once behind its request arrives, and comes first', async () => {
  let heard = '';
  accept = (request, socket, head) => {
    join(request, socket);
    heard += head.toString();
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
  };
  const { socket } = raw('/proxy/ws/', key, 'first');
  await expect.poll(() => heard).toBe('first');
  socket.write(' second');
  await expect.poll(() => heard).toBe('first second');
  socket.destroy();
});

test('of the 101 only what is not for the proxy itself comes back', async () => {
  accept = (request, socket) => join(request, socket, 'Set-Cookie: a=1\r\nX-Two: 2\r\n');
  const { socket, received } = raw();
  await vi.waitUntil(() => received().includes('\r\n\r\n'));
  expect(received()).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
  expect(received()).toMatch(/\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
  expect(received()).toMatch(/\r\nX-Two: 2\r\n/);
  expect(received()).not.toMatch(/Set-Cookie/i);
  socket.destroy();
});

describe('a socket is refused', () => {
  test.each([
    ['to an agent that is not known', '/proxy/ws/', 'cak_nobody_x', 401],
    ['where nothing is connected', '/proxy/spare/', undefined, 424],
    ['to what is no integration', '/proxy/none/', undefined, 404],
    ['out of the base path', '/proxy/ws/../x', undefined, 400],
  ])('%s', async (_what, path, agentKey, status) => {
    const { socket, received } = raw(path, agentKey);
    await once(socket, 'close');
    expect(received()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(received()).toMatch(/\r\nConnectors-Error: /);
    expect(opened).toEqual([]);
  });

  test('with the upstream’s own words', async () => {
    accept = (_request, socket) =>
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nX-Why: x\r\n\r\nno');
    const { socket, received } = raw();
    await once(socket, 'close');
    expect(received()).toMatch(/^HTTP\/1\.1 403 Forbidden\r\nX-Why: x|^HTTP\/1\.1 403 [^]*X-Why: x/);
    expect(received()).toMatch(/\r\n\r\nno$/);
  });
});

test('a token that the upstream refuses is refreshed, and the handshake sent once more', async () => {
  const tokens: (string | undefined)[] = [];
  accept = (request, socket) => {
    tokens.push(request.headers.authorization);
    if (tokens.length > 1) join(request, socket);
    else socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
  };
  const { socket, received } = raw();
  await vi.waitUntil(() => received().includes('\r\n\r\n'));
  expect(received()).toMatch(/^HTTP\/1\.1 101 /);
  expect([tokens.length, new Set(tokens).size]).toEqual([2, 2]);
  socket.destroy();
});

test.each([
  ['h2c', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ'],
  ['another protocol', 'Connection: Upgrade\r\nUpgrade: foo'],
])('%s is not offered: the request is answered as any other', async (_what, lines) => {
  const socket = connect(Number(new URL(system.url).port), '127.0.0.1');
  socket.write(
    `GET /proxy/ws/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n${lines}\r\nConnection: close\r\n\r\n`,
  );
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(socket, 'close');
  expect(text).toMatch(/^HTTP\/1\.1 200 [^]*no socket$/);
});

test.each([
  ['an agent’s request', '/proxy/ws/'],
  ['what the proxy answers itself', '/healthz'],
])('after an upgrade that was declined the connection ends, for nobody reads on: %s', async (_what, path) => {
  const other = connect(Number(new URL(system.url).port), '127.0.0.1');
  let text = '';
  other.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const lines = `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n`;
  other.write(`${lines}Connection: upgrade\r\nUpgrade: foo\r\n\r\n${lines}\r\n`);
  await once(other, 'close');
  expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(1);
  expect(text).toContain('Connection: close');
});

test('a request behind one that is not answered yet cannot take the connection over', async () => {
  const socket = connect(Number(new URL(system.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  socket.write(
    `GET /proxy/ws/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n\r\n${handshake('/proxy/ws/')}`,
  );
  await once(socket, 'close');
  expect((await call(system.url, '/healthz')).status).toBe(200);
});

describe('an open socket ends', () => {
  async function openSocket(path = '/proxy/ws/', agentKey = key) {
    const { socket, received } = raw(path, agentKey);
    const { socket: upstream } = await vi.waitUntil(() => opened[0]);
    await vi.waitUntil(() => received().includes('\r\n\r\n'));
    return { agent: socket, upstream, received };
  }

  test('for the upstream when the agent goes away', async () => {
    const { agent, upstream } = await openSocket();
    agent.destroy();
    await expect(once(upstream.resume(), 'end')).resolves.toBeDefined();
  });

  test('for the agent when the upstream goes away', async () => {
    const { agent, upstream } = await openSocket();
    upstream.destroy();
    await expect.poll(() => agent.destroyed).toBe(true);
  });

  test('with the last words of the side that is left', async () => {
    const { agent, upstream, received } = await openSocket();
    agent.end();
    await once(upstream.resume(), 'end');
    upstream.end('goodbye');
    await once(agent, 'close');
    expect(received()).toMatch(/goodbye$/);
  });

  test('when its credential is deleted', async () => {
    const { agent, upstream } = await openSocket();
    await system.publish({
      type: 'credential-deleted',
      tenantId: 'acme',
      integration: 'ws',
      revision: 'any',
    });
    await expect(Promise.all([once(agent, 'close'), once(upstream.resume(), 'end')])).resolves.toBeDefined();
  });

  test('when its agent is revoked', async () => {
    const agent = await system.createAgent({ tenants: ['acme'] });
    const { agent: socket, upstream } = await openSocket('/proxy/ws/', agent.key);
    await system.admin.agents.delete(agent.id);
    await system.publish({ type: 'agent-changed', agentId: agent.id });
    await expect(Promise.all([once(socket, 'close'), once(upstream.resume(), 'end')])).resolves.toBeDefined();
  });

  test('and not when another credential is deleted', async () => {
    const { agent, upstream, received } = await openSocket();
    await system.publish({
      type: 'credential-deleted',
      tenantId: 'acme',
      integration: 'demo',
      revision: 'any',
    });
    upstream.write('still here');
    await expect.poll(received).toMatch(/still here$/);
    agent.destroy();
  });
});

test('a slow side slows the other down', async () => {
  const { socket } = raw();
  socket.pause();
  const { socket: upstream } = await vi.waitUntil(() => opened[0]);
  const chunk = Buffer.alloc(64 * 1024);
  let written = 0;
  const pump = (): void => {
    while (written < 256 * 1024 * 1024) {
      written += chunk.length;
      if (!upstream.write(chunk)) return void upstream.once('drain', pump);
    }
  };
  pump();
  let last = -1;
  await vi.waitUntil(() => written === last || ((last = written), false), { interval: 200, timeout: 10_000 });
  expect(written).toBeLessThan(64 * 1024 * 1024);
  socket.destroy();
});

test('the access line of a socket is written when it ends', async () => {
  const line = () => system.lines.find((text) => text.includes('/logged'));
  const { socket, received } = raw('/proxy/ws/logged?secret=1');
  await vi.waitUntil(() => received().includes('\r\n\r\n'));
  expect(line()).toBeUndefined();
  socket.destroy();
  opened[0]?.socket.destroy();
  expect(JSON.parse(await vi.waitUntil(line))).toMatchObject({
    agent: agentId,
    tenant: 'acme',
    integration: 'ws',
    path: '/logged',
    status: 101,
  });
});

test('a proxy that shuts down does not wait for open sockets', async () => {
  const { socket } = raw();
  await vi.waitUntil(() => opened[0]);
  await worker.close();
  await expect(Promise.all([system.close(), once(socket, 'close')])).resolves.toBeDefined();
});
