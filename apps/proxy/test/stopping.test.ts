import { createServer, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { call } from './call.ts';
import { dial, statuses } from './raw.ts';
import { startSystem } from './start-system.ts';

/** A proxy in front of an upstream that answers, or opens sockets, when the test says so. */
async function start() {
  const answers: ServerResponse[] = [];
  const sockets: Socket[] = [];
  const server = createServer((_request, response) => void answers.push(response));
  server.on('upgrade', (_request, socket) => sockets.push(socket.on('error', () => undefined) as Socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const system = await startSystem({ upstreams: { held: upstream } });
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await system.close();
    server.closeAllConnections();
    server.close();
  });
  await system.connect('acme', 'held');
  const { key } = await system.createAgent({ tenants: ['acme'] });
  const request = (more = '') =>
    `GET /proxy/held/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n${more}\r\n`;
  return { system, request, answers, sockets };
}

test('an agent whose request is under way when the proxy stops is answered, and told that the connection ends', async () => {
  const { system, request, answers } = await start();
  const { socket, received } = dial(system.url);
  socket.write(request());
  const answer = await vi.waitUntil(() => answers[0]);
  const stopped = system.app.close();
  await expect.poll(() => call(system.url, '/healthz').catch(() => 'refused')).toBe('refused');
  answer.end('done');
  await once(socket, 'close');
  expect(received()).toMatch(/^HTTP\/1\.1 200 [^]*Connection: close[^]*done$/);
  await stopped;
});

test('a connection whose answer had begun before the proxy stopped ends with that answer', async () => {
  const { system, request, answers } = await start();
  const { socket, received } = dial(system.url);
  socket.write(request());
  (await vi.waitUntil(() => answers[0])).write('begun');
  await expect.poll(received).toContain('begun');
  const stopped = system.app.close();
  answers[0]?.end('ended');
  await once(socket, 'close');
  expect(received()).toContain('ended');
  await stopped;
});

test('what comes on a busy connection while the proxy stops is answered, and then the connection ends', async () => {
  const { system, request, answers } = await start();
  const { socket, received } = dial(system.url);
  socket.write(request());
  const first = await vi.waitUntil(() => answers[0]);
  first.write('begun');
  await expect.poll(received).toContain('begun');
  const stopped = system.app.close();
  socket.write(request());
  first.end();
  (await vi.waitUntil(() => answers[1])).end('second');
  await once(socket, 'close');
  expect(statuses(received())).toEqual([200, 200]);
  expect(received()).toMatch(/Connection: close[^]*second$/);
  await stopped;
});

test('a WebSocket that is only about to open when the proxy stops is not waited for', async () => {
  const { system, request, sockets } = await start();
  const { socket } = dial(system.url);
  socket.write(request('Connection: Upgrade\r\nUpgrade: websocket\r\n'));
  await vi.waitUntil(() => sockets[0]);
  const stopped = system.app.close();
  sockets[0]?.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
  await expect(Promise.all([stopped, once(socket, 'close')])).resolves.toBeDefined();
});
