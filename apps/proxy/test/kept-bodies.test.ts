import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bearer, call, echoOf, open, problemOf } from './call.ts';
import { startSystem, type System } from './start-system.ts';
import { startUpstream } from './start-upstream.ts';

let system: System;
let streaming: Awaited<ReturnType<typeof startUpstream>>;
const maxKeptBytes = 100_000;

beforeAll(async () => {
  streaming = await startUpstream();
  const entries = { streaming: { upstream: { rest: streaming.url } } };
  system = await startSystem({ maxKeptBytes, refreshWaitMs: 300, entries });
});
afterAll(async () => {
  await system.close();
  await streaming.close();
});

async function connected(tenant: string) {
  const { stored } = await system.connect(tenant);
  const { key } = await system.createAgent({ tenants: [tenant] });
  return {
    key,
    revision: stored.metadata.revision,
    post: (body: Buffer | Readable) =>
      call(system.url, '/proxy/demo/echo', { method: 'POST', headers: bearer(key), body }),
  };
}

/** A body that has begun, and ends when it is told to. */
function startBody(begin: Buffer) {
  const body = new Readable({ read: () => undefined });
  body.push(begin);
  return {
    body,
    end: (rest: Buffer) => {
      body.push(rest);
      body.push(null);
    },
  };
}

/** What is said to a message that is to be read, and is not granted: `overloaded` if there is no room to read it. */
async function readsMessages(): Promise<string> {
  const { key } = await system.createAgent({ tenants: ['reader'], mcp: { tools: ['whoami'] } });
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'none' } });
  const headers = { ...bearer(key), 'content-type': 'application/json' };
  return problemOf(await call(system.url, '/mcp/demo', { method: 'POST', headers, body })).code;
}

describe('bodies that wait for their end', () => {
  test('cannot fill the memory: what has to be read finds no room then, until they are answered', async () => {
    const { post } = await connected('room');
    expect(await readsMessages()).toBe('agent_forbidden');

    const waiting = startBody(randomBytes(maxKeptBytes - 10));
    const slow = post(waiting.body);
    await expect.poll(readsMessages).toBe('overloaded');
    waiting.end(Buffer.from('end'));
    expect(echoOf(await slow).body.bytes).toBe(maxKeptBytes - 7);
    await expect.poll(readsMessages).toBe('agent_forbidden');
  });

  test('take up memory no longer than until their answer begins, which may last for days', async () => {
    await system.connect('lasting', 'streaming');
    const { key } = await system.createAgent({ tenants: ['lasting'] });
    streaming.handle = (incoming, response) =>
      void incoming
        .resume()
        .once('end', () =>
          response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n'),
        );
    const body = randomBytes(maxKeptBytes - 10);
    const response = await open(system.url, '/proxy/streaming/', {
      method: 'POST',
      headers: bearer(key),
      body,
    });
    expect(await readsMessages()).toBe('agent_forbidden');
    response.on('error', () => undefined).destroy();
  });

  test('are passed on without being kept where there is no room', async () => {
    const { post } = await connected('large');
    const body = randomBytes(maxKeptBytes * 2);
    expect(echoOf(await post(body)).body.bytes).toBe(body.length);
  });
});

test('a credential that was deleted while the body was waited for is not sent', async () => {
  const { key, post } = await connected('deleted');
  expect((await post(Buffer.from('x'))).status).toBe(200);
  const waiting = startBody(Buffer.from('begin'));
  const slow = post(waiting.body);
  const id = { tenantId: 'deleted', integration: 'demo' };
  const { revision } = (await system.admin.credentials.get(id)).credential.metadata;
  await expect.poll(async () => (await call(system.url, '/metrics')).text).toContain('in_flight 1');
  await system.admin.deleteCredentials(id.tenantId, id.integration);
  await system.publish({ type: 'credential-deleted', ...id, revision });
  await expect
    .poll(async () => (await call(system.url, '/proxy/demo/', { headers: bearer(key) })).status)
    .toBe(424);
  waiting.end(Buffer.from('end'));
  expect((await slow).status).toBe(424);
});

describe('a token in its last seconds, whose refresh does not come', () => {
  const refreshesAskedFor = async () =>
    Number(
      /^connectors_proxy_refresh_requests_total.* (\d+)$/m.exec(
        (await call(system.url, '/metrics')).text,
      )?.[1] ?? 0,
    );

  test('is waited for once, also where there is a body', async () => {
    const { post } = await connected('last');
    const before = await refreshesAskedFor();
    system.clock.offset += 3_596_000;
    expect((await post(Buffer.from('x'))).status).toBe(200);
    expect((await refreshesAskedFor()) - before).toBe(1);
  });

  test('is not sent if it was deleted while the body was waited for', async () => {
    const { key, revision } = await connected('last-gone');
    system.clock.offset += 3_596_000;
    const headers = { ...bearer(key), expect: '100-continue' };
    const slow = request(`${system.url}/proxy/demo/echo`, { method: 'POST', headers });
    slow.flushHeaders();
    // The body is asked for when the wait for the refresh is over.
    await once(slow, 'continue');
    const id = { tenantId: 'last-gone', integration: 'demo' };
    await system.admin.deleteCredentials(id.tenantId, id.integration);
    await system.publish({ type: 'credential-deleted', ...id, revision });
    await expect
      .poll(async () => (await call(system.url, '/proxy/demo/', { headers: bearer(key) })).status)
      .toBe(424);
    slow.end('end');
    const [response] = (await once(slow, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(424);
    response.resume();
  });
});

test('a stream of events ends when its credential is deleted, and no other', async () => {
  const [gone, kept] = [await connected('gone'), await connected('kept')];
  const stream = async (key: string) => {
    const response = await fetch(`${system.url}/proxy/demo/events?n=2&interval=3600000`, {
      headers: bearer(key),
    });
    return response.body!.getReader();
  };
  const [ending, lasting] = [await stream(gone.key), await stream(kept.key)];
  await ending.read();
  await lasting.read();
  const id = { tenantId: 'gone', integration: 'demo' };
  const { revision } = (await system.admin.credentials.get(id)).credential.metadata;
  await system.admin.deleteCredentials(id.tenantId, id.integration);
  await system.publish({ type: 'credential-deleted', ...id, revision });
  await expect(ending.read()).rejects.toThrow('terminated');
  const next = lasting.read().then(
    () => 'ended',
    () => 'ended',
  );
  expect(await Promise.race([next, Promise.resolve('open')])).toBe('open');
  await lasting.cancel();
});
