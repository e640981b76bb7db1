import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { bearer, open } from '../call.ts';
import { startSystem, type System } from '../start-system.ts';
import { startUpstream } from '../start-upstream.ts';
import { request } from './messages.ts';

let system: System;
let bare: Awaited<ReturnType<typeof startUpstream>>;
let key: string;

beforeAll(async () => {
  // Before anything has a timer: the HTTP client goes on with the one that it had first.
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'],
    shouldAdvanceTime: true,
  });
  bare = await startUpstream();
  system = await startSystem({ entries: { bare: { upstream: { mcp: bare.url } } } });
  await system.connect('acme', 'bare');
  ({ key } = await system.createAgent({ tenants: ['acme'] }));
});
afterAll(async () => {
  vi.useRealTimers();
  await system.close();
  await bare.close();
});

const hourMs = 3_600_000;

/** Opens a stream and reads its first event. */
async function listen(options: { method: string; body?: string }) {
  const { promise: asked, resolve } = Promise.withResolvers<ServerResponse>();
  bare.handle = (_incoming, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n');
    resolve(response);
  };
  const headers = { ...bearer(key), 'content-type': 'application/json', accept: 'text/event-stream' };
  const stream = await open(system.url, '/mcp/bare', { headers, ...options });
  const events = stream.setEncoding('utf8')[Symbol.asyncIterator]();
  expect((await events.next()).value).toBe('data: first\n\n');
  return { events, upstream: await asked };
}

test('a stream that the agent listens on and one that answers a message may be silent for an hour', async () => {
  const message = JSON.stringify(request('tools/call', { name: 'slow' }));
  const streams = [await listen({ method: 'GET' }), await listen({ method: 'POST', body: message })];
  system.clock.offset += hourMs;
  await vi.advanceTimersByTimeAsync(hourMs);
  for (const { events, upstream } of streams) {
    upstream.write('data: later\n\n');
    expect((await events.next()).value).toBe('data: later\n\n');
    upstream.end();
    expect((await events.next()).done).toBe(true);
  }
});
