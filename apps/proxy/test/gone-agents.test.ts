import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bearer, call } from './call.ts';
import { startSystem, type System } from './start-system.ts';
import { startUpstream } from './start-upstream.ts';

let system: System;
let upstream: Awaited<ReturnType<typeof startUpstream>>;

beforeAll(async () => {
  upstream = await startUpstream();
  // Of two places a tenant has one.
  const entries = { narrow: { upstream: { rest: upstream.url }, maxConcurrentRequests: 2 } };
  system = await startSystem({ entries, refreshWaitMs: 1_000 });
});
afterAll(async () => {
  await system.close();
  await upstream.close();
});

const figure = async (name: RegExp) =>
  new RegExp(`${name.source}.* (\\d+)$`, 'm').exec((await call(system.url, '/metrics')).text)?.[1];

test('an agent that goes away while a refresh is waited for takes up no place, and is not said to have used the credential', async () => {
  await system.connect('acme', 'narrow');
  const { key } = await system.createAgent({ tenants: ['acme'] });
  // No worker refreshes the token, which is in its last seconds.
  system.clock.offset += 3_596_000;
  const gone = request(`${system.url}/proxy/narrow/gone`, { headers: bearer(key) }).end();
  gone.on('error', () => undefined);
  await expect.poll(() => figure(/^connectors_proxy_refresh_requests_total/)).toBe('1');
  gone.destroy();
  await expect.poll(() => figure(/^connectors_proxy_requests_in_flight/)).toBe('0');
  // Waits for the same refresh, and comes after the other.
  const answer = await call(system.url, '/proxy/narrow/there', { headers: bearer(key) });
  expect(answer.status).toBe(200);
  expect(system.audited.filter((line) => line.includes('/gone'))).toEqual([]);
});
