import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { startRedis, type RunningRedis } from '@connectors/dev-servers';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { connectRedis, EventSubscription, publishEvent, type ConnectorsEvent } from '../src/index.ts';

const prefix = 'connectors';
const credential = { tenantId: 'tenant-123', integration: 'github', revision: 'rev1' };
const stored: ConnectorsEvent = { type: 'credential-stored', ...credential };

let server: RunningRedis;
let publisher: Redis;

beforeEach(async () => {
  server = await startRedis();
  publisher = connectRedis(server.url, 'background', () => undefined);
});

afterEach(async () => {
  publisher.disconnect();
  await server.close();
});

/** A subscription that notes what it hears. */
async function listen(channelPrefix = prefix) {
  const subscription = new EventSubscription(
    connectRedis(server.url, 'background', () => undefined),
    channelPrefix,
  );
  onTestFinished(() => subscription.close());
  const heard: ConnectorsEvent[] = [];
  let gaps = 0;
  subscription.on('event', (event) => heard.push(event));
  subscription.on('gap', () => (gaps += 1));
  await expect.poll(() => subscription.isConnected).toBe(true);
  return { subscription, heard, gaps: () => gaps };
}

/** A way to Redis whose open connections can fall silent: nothing passes, and nobody closes them. */
async function startSilencer(port: number) {
  const open: Socket[] = [];
  const relay = createServer((client) => {
    const target = connect(port, '127.0.0.1');
    for (const socket of [client, target]) open.push(socket.on('error', () => socket.destroy()));
    client.pipe(target).pipe(client);
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    relay.close();
  });
  return {
    url: `redis://127.0.0.1:${(relay.address() as AddressInfo).port}`,
    silence: () => open.forEach((socket) => socket.unpipe().pause()),
  };
}

describe('an event', () => {
  it.each<ConnectorsEvent>([
    stored,
    { type: 'credential-deleted', ...credential },
    { type: 'refresh-success', ...credential, expiresAt: '2025-11-08T13:00:00.000Z' },
    { type: 'refresh-success', ...credential, dueAt: '2025-11-08T12:55:00.000Z' },
    { type: 'refresh-success', ...credential },
    { type: 'refresh-failed', ...credential, error: 'invalid_grant' },
    { type: 'refresh-retry', ...credential, error: 'http_503', retryCount: 2 },
    { type: 'refresh-declined', ...credential, error: 'cooling_down' },
    { type: 'agent-changed', agentId: 'abc' },
    { type: 'webhooks-changed', tenantId: 'tenant-123' },
  ])('of type $type reaches every subscriber', async (event) => {
    const [first, second] = [await listen(), await listen()];
    await publishEvent(publisher, prefix, event);
    await expect.poll(() => [first.heard, second.heard]).toEqual([[event], [event]]);
  });

  it('stays within its deployment', async () => {
    const [ours, theirs] = [await listen(), await listen('others')];
    await publishEvent(publisher, prefix, stored);
    await expect.poll(() => ours.heard).toEqual([stored]);
    expect(theirs.heard).toEqual([]);
  });

  it('carries nothing that its type does not name', async () => {
    const raw: string[] = [];
    const tap = publisher.duplicate();
    onTestFinished(() => tap.disconnect());
    tap.on('message', (_channel, message) => raw.push(message));
    await tap.subscribe('connectors:events');
    await publishEvent(publisher, prefix, { ...stored, accessToken: 'gho_canary' } as ConnectorsEvent);
    await expect.poll(() => raw).toEqual([JSON.stringify(stored)]);
  });

  it('carries codes, not the texts of providers', async () => {
    const event: ConnectorsEvent = {
      type: 'refresh-failed',
      ...credential,
      error: 'Token gho_canary is bad',
    };
    const { heard } = await listen();
    await expect(publishEvent(publisher, prefix, event)).rejects.toThrow(/error/);
    await publishEvent(publisher, prefix, stored);
    await expect.poll(() => heard).toEqual([stored]);
  });
});

describe('a subscription', () => {
  it.each([
    ['no JSON', '{"type":'],
    ['no object', 'null'],
    ['of a type of tomorrow', '{"type":"credential-moved"}'],
    ['without its fields', '{"type":"credential-stored"}'],
    ['of a wrong kind', '{"type":"agent-changed","agentId":7}'],
  ])('passes over a message that is %s', async (_what, message) => {
    const { heard } = await listen();
    await publisher.publish('connectors:events', message);
    await publishEvent(publisher, prefix, stored);
    await expect.poll(() => heard).toEqual([stored]);
  });

  it('takes from an event only what its type names', async () => {
    const { heard } = await listen();
    await publisher.publish('connectors:events', JSON.stringify({ ...stored, note: 'x' }));
    await expect.poll(() => heard).toEqual([stored]);
  });

  it('tells of a gap when it begins: what was learned before may be stale', async () => {
    const { gaps } = await listen();
    expect(gaps()).toBe(1);
  });

  it('knows when it hears nothing', async () => {
    const { subscription } = await listen();
    await server.close();
    await expect.poll(() => subscription.isConnected).toBe(false);
  });

  it('tells of a gap when Redis is back, and hears again', async () => {
    const { subscription, heard, gaps } = await listen();
    await server.close();
    await expect.poll(() => subscription.isConnected).toBe(false);
    server = await startRedis({ port: server.port });
    await expect.poll(() => gaps(), { timeout: 10_000 }).toBeGreaterThanOrEqual(2);
    expect(subscription.isConnected).toBe(true);
    await publishEvent(publisher, prefix, stored);
    await expect.poll(() => heard).toEqual([stored]);
  });

  it('finds out that its connection died without a word, and hears again on another', async () => {
    const relay = await startSilencer(server.port);
    const redis = connectRedis(relay.url, 'background', () => undefined);
    const subscription = new EventSubscription(redis, prefix, { everyMs: 20, patienceMs: 200 });
    onTestFinished(() => subscription.close());
    const heard: ConnectorsEvent[] = [];
    subscription.on('event', (event) => heard.push(event));
    await expect.poll(() => subscription.isConnected).toBe(true);
    relay.silence();
    await expect.poll(() => subscription.isConnected).toBe(false);
    await expect.poll(() => subscription.isConnected).toBe(true);
    await publishEvent(publisher, prefix, stored);
    await expect.poll(() => heard).toEqual([stored]);
  });

  it('keeps a connection on which nothing happens', async () => {
    const redis = connectRedis(server.url, 'background', () => undefined);
    const subscription = new EventSubscription(redis, prefix, { everyMs: 5, patienceMs: 2_000 });
    onTestFinished(() => subscription.close());
    let closed = 0;
    redis.on('close', () => (closed += 1));
    await expect.poll(() => subscription.isConnected).toBe(true);
    const pings = async () =>
      /calls=(\d+)/.exec((await publisher.info('commandstats')).split('cmdstat_ping:')[1] ?? '')?.[1];
    await expect.poll(async () => Number(await pings())).toBeGreaterThan(10);
    expect([closed, subscription.isConnected]).toEqual([0, true]);
  });

  it('hears each event once after several interruptions', async () => {
    const { subscription, heard } = await listen();
    for (let interruption = 1; interruption <= 3; interruption += 1) {
      await publisher.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await expect.poll(() => subscription.isConnected).toBe(false);
      await expect.poll(() => subscription.isConnected).toBe(true);
    }
    await publishEvent(publisher, prefix, stored);
    await publishEvent(publisher, prefix, { type: 'agent-changed', agentId: 'last' });
    await expect.poll(() => heard.length).toBe(2);
    expect(heard).toEqual([stored, { type: 'agent-changed', agentId: 'last' }]);
  });

  it('that is closed hears nothing more', async () => {
    const { subscription, heard } = await listen();
    subscription.close();
    await expect.poll(() => subscription.isConnected).toBe(false);
    await publishEvent(publisher, prefix, stored);
    expect(heard).toEqual([]);
  });
});
