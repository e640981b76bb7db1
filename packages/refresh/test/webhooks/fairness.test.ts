import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedis } from '@connectors/dev-servers';
import { connectRedis, RefreshQueues } from '@connectors/vault-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { testMessage } from '../../src/index.ts';
import { WebhookQueue } from '../../src/webhooks/queue.ts';
import { startReceiver } from './start-receiver.ts';
import { startDelivering, startWebhooks, type WebhookWorld } from './start-webhooks.ts';

let world: WebhookWorld;

beforeAll(async () => {
  world = await startWebhooks();
});

afterAll(() => world.close());

// What waits for its next try is not the next test's.
beforeEach(() => world.redis.flushall());

/** Puts deliveries to an endpoint of a tenant into the queue. */
async function queueSome(queue: WebhookQueue, tenantId: string, endpointId: string, count: number) {
  for (let number = 0; number < count; number += 1) {
    const message = testMessage(tenantId, endpointId, Date.now() + number);
    await queue.addDelivery({ tenantId, endpointId, message });
  }
}

describe('endpoints that never answer', () => {
  it('have few deliveries under way, and hold up nobody', async () => {
    const worker = await startDelivering(world);
    const [slow, good] = [await startReceiver(), await startReceiver()];
    slow.respond = () => undefined;
    const [busy, other] = [world.newTenant(), world.newTenant()];
    const endpoints = await Promise.all(Array.from({ length: 6 }, () => world.add(busy, slow.url)));
    const quick = await world.add(other, good.url);
    // More than a worker delivers at a time.
    for (const { endpoint } of endpoints) await queueSome(worker.webhooks, busy, endpoint.id, 20);
    await queueSome(worker.webhooks, other, quick.endpoint.id, 3);
    await vi.waitFor(() => expect(good.received).toHaveLength(3), 10_000);
    await vi.waitFor(() => expect(slow.received).toHaveLength(10), 10_000);
    slow.respond = (response) => response.writeHead(410).end();
  });

  it('have at most three each', async () => {
    const worker = await startDelivering(world);
    const slow = await startReceiver();
    slow.respond = () => undefined;
    const tenantId = world.newTenant();
    const { endpoint } = await world.add(tenantId, slow.url);
    await queueSome(worker.webhooks, tenantId, endpoint.id, 20);
    await vi.waitFor(async () => {
      const states = (await worker.webhooks.deliveries(endpoint.id)).map(({ state }) => state);
      expect(states.filter((state) => state === 'delayed')).toHaveLength(17);
    }, 10_000);
    await vi.waitFor(() => expect(slow.received).toHaveLength(3), 10_000);
  });
});

describe('what is queued', () => {
  it('outlives Redis being restarted, with its append-only file', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'webhooks-'));
    const first = await startRedis({ dataDir });
    const connection = connectRedis(first.url, 'background', () => undefined);
    const queue = new WebhookQueue(new RefreshQueues(connection, 'connectors'), connection, 'connectors');
    const receiver = await startReceiver();
    const tenantId = world.newTenant();
    const { endpoint } = await world.add(tenantId, receiver.url);
    await queueSome(queue, tenantId, endpoint.id, 1);
    connection.disconnect();
    await first.close();
    const second = await startRedis({ dataDir });
    onTestFinished(async () => {
      await second.close();
      await rm(dataDir, { recursive: true });
    });
    await startDelivering({ ...world, redisServer: second });
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1), 10_000);
  });
});
