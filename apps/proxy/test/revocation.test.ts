import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { startRedis } from '@connectors/dev-servers';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { bearer, call, open } from './call.ts';
import { request } from './mcp/messages.ts';
import { audience, startIssuer } from './start-issuer.ts';
import { startSystem, type System } from './start-system.ts';
import { startUpstream } from './start-upstream.ts';

let system: System;
let streaming: Awaited<ReturnType<typeof startUpstream>>;
beforeAll(async () => {
  streaming = await startUpstream();
  streaming.handle = (_request, response) => void response.writeHead(200).write('data: 1\n\n');
  const entries = { 'streaming-mcp': { upstream: { mcp: streaming.url } } };
  system = await startSystem({ upstreams: { streaming: streaming.url }, entries });
  await system.connect('acme', 'streaming');
  await system.connect('acme', 'streaming-mcp');
});
afterAll(async () => {
  await system.close();
  await streaming.close();
});

const grants = [{ tenants: ['acme'] }];

/** An agent with an open stream. */
async function startStream() {
  const { agent, key } = await system.admin.agents.create({ name: 'a bot', grants });
  const response = await open(system.url, '/proxy/streaming/', { headers: bearer(key.reveal()) });
  const ended = endOf(response);
  await once(response, 'data');
  return { id: agent.id, response, ended };
}

function endOf(response: IncomingMessage): Promise<string> {
  // Cut off, it is an error as well.
  response.on('error', () => undefined);
  return new Promise((resolve) => void response.on('close', () => resolve('ended')));
}

const announce = (agentId: string) => system.publish({ type: 'agent-changed', agentId });

/** Whether a stream goes on, once every other one that was to end has. */
function isOpen(response: IncomingMessage): boolean {
  return !response.closed;
}

describe('an open stream ends when', () => {
  test('its agent is revoked', async () => {
    const { id, ended } = await startStream();
    await system.admin.agents.delete(id);
    await announce(id);
    expect(await ended).toBe('ended');
  });

  test('its key is replaced without an overlap', async () => {
    const { id, ended } = await startStream();
    await system.admin.agents.rotate(id, 0);
    await announce(id);
    expect(await ended).toBe('ended');
  });

  test('its agent loses the grant', async () => {
    const { id, ended } = await startStream();
    await system.admin.agents.update(id, { grants: [{ tenants: ['acme'], integrations: ['demo'] }] });
    await announce(id);
    expect(await ended).toBe('ended');
  });
});

test('all of very many open streams end when their agent is revoked', async () => {
  const { agent, key } = await system.admin.agents.create({ name: 'a bot', grants });
  const opening = Array.from({ length: 30 }, () =>
    open(system.url, '/proxy/streaming/', { headers: bearer(key.reveal()) }),
  );
  const streams = await Promise.all(opening);
  for (const stream of streams) stream.on('error', () => undefined).resume();
  await system.admin.agents.delete(agent.id);
  await announce(agent.id);
  await expect.poll(() => streams.filter(isOpen).length).toBe(0);
});

describe('an open stream ends when its agent is moved', () => {
  test.each([
    ['to another tenant', ['umbrella']],
    ['to several others', ['umbrella', 'initech']],
  ])('%s', async (_where, tenants) => {
    const { id, ended } = await startStream();
    await system.admin.agents.update(id, { grants: [{ tenants }] });
    await announce(id);
    expect(await ended).toBe('ended');
  });
});

describe('an open stream goes on when', () => {
  test.each<[string, (id: string) => Promise<unknown>]>([
    ['its key is rotated with an overlap', (id) => system.admin.agents.rotate(id, 60_000)],
    ['its agent gets another name', (id) => system.admin.agents.update(id, { name: 'new' })],
  ])('%s', async (_what, change) => {
    const [kept, other] = [await startStream(), await startStream()];
    await change(kept.id);
    await announce(kept.id);
    await system.admin.agents.delete(other.id);
    await announce(other.id);
    await other.ended;
    expect(isOpen(kept.response)).toBe(true);
    kept.response.destroy();
  });

  test('another agent is revoked', async () => {
    const [kept, other] = [await startStream(), await startStream()];
    await system.admin.agents.delete(other.id);
    await announce(other.id);
    await other.ended;
    expect(isOpen(kept.response)).toBe(true);
    kept.response.destroy();
  });
});

describe('when an agent’s tools change, of the streams that its calls of tools have opened', () => {
  async function callTool(key: string, name: string) {
    const headers = { ...bearer(key), 'content-type': 'application/json' };
    const body = JSON.stringify(request('tools/call', { name }));
    const response = await open(system.url, '/mcp/streaming-mcp', { method: 'POST', headers, body });
    const ended = endOf(response);
    await once(response, 'data');
    return { response, ended };
  }

  test('those that it may not call any more end, and no other', async () => {
    const mcp = (tools: string[]) => [{ tenants: ['acme'], mcp: { tools } }];
    const { agent, key } = await system.admin.agents.create({ name: 'a bot', grants: mcp(['a', 'b']) });
    const [kept, gone] = [await callTool(key.reveal(), 'a'), await callTool(key.reveal(), 'b')];
    await system.admin.agents.update(agent.id, { grants: mcp(['a']) });
    await announce(agent.id);
    await gone.ended;
    expect(isOpen(kept.response)).toBe(true);
    kept.response.destroy();
  });

  test('those end of which nobody has read what they call', async () => {
    const { agent, key } = await system.admin.agents.create({ name: 'a bot', grants });
    const stream = await callTool(key.reveal(), 'a');
    await system.admin.agents.update(agent.id, { grants: [{ tenants: ['acme'], mcp: { tools: ['a'] } }] });
    await announce(agent.id);
    await expect(stream.ended).resolves.toBe('ended');
  });
});

test('while Vault cannot tell, streams go on; once it can, those of a revoked agent end', async () => {
  const [kept, other] = [await startStream(), await startStream()];
  await system.admin.agents.delete(other.id);
  system.vaultServer.seal();
  await announce(kept.id);
  await announce(other.id);
  await vi.waitUntil(async () => {
    // The proxy has forgotten both.
    const headers = bearer('cak_nobody_secret');
    return (await call(system.url, '/proxy/streaming/', { headers })).status === 503;
  });
  expect([isOpen(kept.response), isOpen(other.response)]).toEqual([true, true]);
  system.vaultServer.unseal();
  await other.ended;
  expect(isOpen(kept.response)).toBe(true);
  kept.response.destroy();
});

test('a stream whose agent was revoked while nothing was heard ends once events arrive again', async () => {
  const [kept, other] = [await startStream(), await startStream()];
  const port = Number(new URL(system.redis.url).port);
  await system.redis.close();
  await system.admin.agents.delete(other.id);
  // Not even Vault can tell at that moment, so that what is known of both serves on.
  system.vaultServer.seal();
  const redis = await startRedis({ port });
  await vi.waitUntil(() => system.events.isConnected, 10_000);
  system.vaultServer.unseal();
  expect(await other.ended).toBe('ended');
  expect(isOpen(kept.response)).toBe(true);
  kept.response.destroy();
  await redis.close();
});

test('a stream ends with the key that opened it, and one that has no end goes on', async () => {
  const events = await startUpstream();
  events.handle = (_request, response) =>
    void response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
  const own = await startSystem({ upstreams: { events: events.url } });
  await own.connect('acme', 'events');
  const expiresAt = new Date(own.clock.now() + 60_000);
  const begin = async (settings: { expiresAt?: Date; grantUntil?: string }) => {
    const grant = { tenants: ['acme'], ...(settings.grantUntil && { expiresAt: settings.grantUntil }) };
    const { key } = await own.admin.agents.create({
      name: 'a bot',
      grants: [grant],
      ...(settings.expiresAt && { expiresAt: settings.expiresAt }),
    });
    const response = await open(own.url, '/proxy/events/', { headers: bearer(key.reveal()) });
    const ended = endOf(response);
    await once(response, 'data');
    return { response, ended };
  };
  const [lasting, keyEnds, grantEnds] = [
    await begin({}),
    await begin({ expiresAt }),
    await begin({ grantUntil: expiresAt.toISOString() }),
  ];
  own.clock.offset += 60_000;
  expect(await Promise.all([keyEnds.ended, grantEnds.ended])).toEqual(['ended', 'ended']);
  expect(isOpen(lasting.response)).toBe(true);
  lasting.response.destroy();
  await own.close();
  await events.close();
});

test('a stream ends with the token that opened it, and not when that is verified anew', async () => {
  const events = await startUpstream();
  events.handle = (_request, response) =>
    void response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
  const clock = { now: Date.now };
  const issuer = await startIssuer(() => clock.now());
  const claims = { tenants: 'tenants', integrations: undefined, grants: undefined };
  const tokens = { issuer: issuer.url, audience, jwksUrl: undefined, claims };
  const own = await startSystem({ upstreams: { events: events.url }, tokens });
  clock.now = own.clock.now;
  await own.connect('acme', 'events');
  const begin = async (minutes: number) => {
    const exp = Math.floor(own.clock.now() / 1_000) + minutes * 60;
    const token = await issuer.sign({ claims: { exp, tenants: 'acme' } });
    const response = await open(own.url, '/proxy/events/', { headers: bearer(token) });
    const ended = endOf(response);
    await once(response, 'data');
    return { response, ended };
  };
  const [long, short] = [await begin(30), await begin(15)];
  own.clock.offset += 16 * 60_000;
  await short.ended;
  expect(isOpen(long.response)).toBe(true);
  own.clock.offset += 15 * 60_000;
  await expect(long.ended).resolves.toBe('ended');
  await Promise.all([own.close(), events.close(), issuer.close()]);
});
