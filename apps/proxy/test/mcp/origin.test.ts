import { afterAll, beforeAll, expect, test } from 'vitest';
import { bearer, call, problemOf } from '../call.ts';
import { startSystem, type System } from '../start-system.ts';
import { initialize, post } from './messages.ts';

let system: System;
let key: string;

beforeAll(async () => {
  system = await startSystem();
  await system.connect('acme');
  ({ key } = await system.createAgent({ tenants: ['acme'] }));
});
afterAll(() => system.close());

const start = (headers: Record<string, string>) => post(system.url, initialize(), { key, headers });

test.each(['https://evil.test', 'null', 'https://app.test.evil.test', 'http://app.test', 'https://APP.test'])(
  'a page of %s may not call MCP servers',
  async (origin) => {
    const asked = system.mcp.requests.length;
    const answer = await start({ origin });
    expect([answer.status, problemOf(answer).code]).toEqual([403, 'origin_forbidden']);
    expect(system.mcp.requests).toHaveLength(asked);
  },
);

test('a page of a named origin may, whatever the upstream thinks of it', async () => {
  expect((await start({ origin: 'https://app.test' })).status).toBe(200);
});

test('a program, which sends no origin, may', async () => {
  expect((await start({})).status).toBe(200);
});

test('streams are no exception', async () => {
  const headers = { ...bearer(key), origin: 'https://evil.test', accept: 'text/event-stream' };
  expect((await call(system.url, '/mcp/demo', { headers })).status).toBe(403);
});

test('REST has no such rule', async () => {
  const headers = { ...bearer(key), origin: 'https://evil.test' };
  expect((await call(system.url, '/proxy/demo/account', { headers })).status).toBe(200);
});
