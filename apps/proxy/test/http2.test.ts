import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import { connect, type AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { EgressGuard } from '@connectors/egress';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bearer, call, open } from './call.ts';
import { startSystem, type System } from './start-system.ts';

const read = (name: string) => readFileSync(new URL(`tls/${name}`, import.meta.url), 'utf8');

let server: Http2SecureServer;
let handle: (request: Http2ServerRequest, response: Http2ServerResponse) => void;
let system: System;
let key: string;

beforeAll(async () => {
  const cert = read('cert.pem');
  setDefaultCACertificates([...getCACertificates(), cert]);
  // It speaks HTTP/1.1 as well, through the same functions.
  server = createSecureServer({ cert, key: read('key.pem'), allowHTTP1: true }, (request, response) =>
    handle(request, response),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  system = await startSystem({
    http2: true,
    guard: new EgressGuard({ allow: ['127.0.0.1', 'localhost'] }),
    upstreams: { h2: `https://localhost:${port}` },
  });
  await system.connect('acme', 'h2');
  await system.connect('acme');
  ({ key } = await system.createAgent({ tenants: ['acme'] }));
});
afterAll(async () => {
  await system.close();
  server.close();
});

test('HTTP/2 is spoken where it is offered, and the token goes along', async () => {
  const { accessToken } = await system.admin.getCredentials('acme', 'h2');
  let seen: unknown;
  handle = ({ httpVersion, url, headers }, response) => {
    seen = [httpVersion, url, headers.authorization, headers['x-agent']];
    response.end();
  };
  const headers = { ...bearer(key), 'X-Agent': 'a', Connection: 'keep-alive' };
  await call(system.url, '/proxy/h2/a%2fb?c=%20', { headers });
  expect(seen).toEqual(['2.0', '/a%2fb?c=%20', `Bearer ${accessToken}`, 'a']);
});

test('HTTP/1.1 is spoken where nothing else is offered', async () => {
  expect((await call(system.url, '/proxy/demo/', { headers: bearer(key) })).status).toBe(200);
});

test('headers, body and trailers of the answer come back, without what acts on the proxy itself', async () => {
  handle = (_request, response) => {
    response.writeHead(203, { 'x-a': '1', 'set-cookie': ['a=1', 'b=2'], link: '<https://a.example>' });
    response.write('body');
    response.addTrailers({ 'x-sum': '42' });
    response.end();
  };
  const response = await open(system.url, '/proxy/h2/', { headers: bearer(key) });
  const body = (await buffer(response)).toString();
  expect([response.statusCode, body, response.trailers]).toEqual([203, 'body', { 'x-sum': '42' }]);
  expect(response.headers).toMatchObject({ 'x-a': '1', link: '<https://a.example>' });
  expect(response.headers['set-cookie']).toBeUndefined();
});

test.each([204, 304])('%i has no body', async (status) => {
  handle = (_request, response) => void response.writeHead(status, { etag: '"1"' }).end();
  const answer = await call(system.url, '/proxy/h2/', { headers: bearer(key) });
  expect([answer.status, answer.headers.etag, answer.text]).toEqual([status, '"1"', '']);
});

test('a small body arrives', async () => {
  handle = (request, response) =>
    void buffer(request).then((body) => response.end(`${request.httpVersion} ${body.toString()}`));
  const answer = await call(system.url, '/proxy/h2/', { method: 'POST', headers: bearer(key), body: 'body' });
  expect(answer.text).toBe('2.0 body');
});

test('an agent that goes away takes its request along, and no other', async () => {
  const { promise: begun, resolve } = Promise.withResolvers<Http2ServerRequest>();
  const answers: (() => void)[] = [];
  handle = (request, response) => {
    if (request.url === '/gone') resolve(request);
    else answers.push(() => response.end('stayed'));
  };
  const staying = call(system.url, '/proxy/h2/', { headers: bearer(key) });
  const agent = connect(Number(new URL(system.url).port), '127.0.0.1');
  agent.write(`GET /proxy/h2/gone HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n\r\n`);
  const request = await begun;
  agent.destroy();
  await once(request, 'close');
  await expect.poll(() => answers.length).toBe(1);
  answers[0]?.();
  expect((await staying).text).toBe('stayed');
});

test('a large body that breaks off goes where its end cannot be mistaken', async () => {
  const { promise: begun, resolve } = Promise.withResolvers<Http2ServerRequest>();
  handle = (request) => resolve(request);
  const agent = connect(Number(new URL(system.url).port), '127.0.0.1');
  agent.write(
    `POST /proxy/h2/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nTransfer-Encoding: chunked\r\n\r\n`,
  );
  agent.write(`200000\r\n${'x'.repeat(0x200000)}\r\n`);
  const request = await begun;
  const ended: boolean[] = [];
  request.on('end', () => ended.push(true)).on('error', () => undefined);
  request.resume();
  agent.destroy();
  await expect.poll(() => request.destroyed).toBe(true);
  expect([request.httpVersion, ended]).toEqual(['1.1', []]);
});

test('an upstream that breaks off in the middle breaks the answer off, too', async () => {
  handle = (_request, response) => response.write('begun', () => response.stream.close(2));
  const received = await open(system.url, '/proxy/h2/', { headers: bearer(key) });
  const [error] = (await once(received.resume(), 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNRESET');
});

test('an upstream that ends the session without an answer is not asked again', async () => {
  let asked = 0;
  handle = ({ stream }) => {
    asked += 1;
    stream.session?.destroy();
  };
  const answer = await call(system.url, '/proxy/h2/', { method: 'POST', headers: bearer(key), body: 'x' });
  expect([answer.status, answer.headers['connectors-error'], asked]).toEqual([
    502,
    'upstream_unreachable',
    1,
  ]);
});
