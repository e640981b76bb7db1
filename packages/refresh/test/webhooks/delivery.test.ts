import { openWebhook, type WebhookReceiver } from '@connectors/dev-servers';
import { EgressGuard } from '@connectors/egress';
import type { ConnectorsEvent, EndpointWithSecret } from '@connectors/vault-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { testMessage } from '../../src/index.ts';
import { startReceiver } from './start-receiver.ts';
import { startDelivering, startWebhooks, type WebhookWorld } from './start-webhooks.ts';

let world: WebhookWorld;

beforeAll(async () => {
  world = await startWebhooks();
});

afterAll(() => world.close());

// What waits for its next try is not the next test's.
beforeEach(() => world.redis.flushall());

const failed = (tenantId: string): Extract<ConnectorsEvent, { type: 'refresh-failed' }> => ({
  type: 'refresh-failed',
  tenantId,
  integration: 'github',
  revision: 'r1',
  error: 'invalid_grant',
});

/** What a receiver got, if all of it is signed with the secret of its endpoint. */
function opened({ secret }: EndpointWithSecret, { received }: WebhookReceiver) {
  return received.map((request) => openWebhook(secret.reveal(), request));
}

/** An endpoint with one event of each kind, or of those that are named, on its way to it. */
async function startOne(options: Parameters<typeof startDelivering>[1] = {}) {
  const tenantId = world.newTenant();
  const receiver = await startReceiver();
  const endpoint = await world.add(tenantId, receiver.url, { events: ['needs_reauth'] });
  const worker = await startDelivering(world, options);
  const stored = () => world.vault.webhooks.find(tenantId, endpoint.endpoint.id);
  return { tenantId, receiver, endpoint, worker, stored, announce: () => worker.announce(failed(tenantId)) };
}

describe('an event', () => {
  it('reaches the endpoint that wants it, signed, with its id, its time, and ids and codes alone', async () => {
    const { tenantId, receiver, endpoint, announce } = await startOne();
    await announce();
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1), 10_000);
    expect(opened(endpoint, receiver)).toEqual([
      {
        id: expect.stringMatching(/^msg_/) as string,
        type: 'needs_reauth',
        timestamp: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        data: {
          tenantId,
          integration: 'github',
          revision: 'r1',
          reason: 'invalid_grant',
          connectUrl: `https://console.example.com/connect/${tenantId}/github`,
        },
      },
    ]);
  });

  it('reaches each endpoint of its tenant, and no other', async () => {
    const [tenantId, other] = [world.newTenant(), world.newTenant()];
    const [first, second, off, foreign] = await Promise.all([1, 2, 3, 4].map(() => startReceiver()));
    if (!first || !second || !off || !foreign) throw new Error('one is missing');
    await world.add(tenantId, first.url);
    await world.add(tenantId, second.url, { events: ['refresh-failed'] });
    await world.add(tenantId, off.url, { enabled: false });
    await world.add(other, foreign.url);
    const worker = await startDelivering(world);
    await worker.announce(failed(tenantId));
    await vi.waitFor(() => expect([first.received.length, second.received.length]).toEqual([2, 1]), 10_000);
    // Whatever comes next is served after what was queued before.
    await worker.announce(failed(other));
    await vi.waitFor(() => expect(foreign.received).toHaveLength(2), 10_000);
    for (const { body } of foreign.received) expect(body).toContain(`"${other}"`);
    expect(off.received).toEqual([]);
    expect(first.received).toHaveLength(2);
    expect(second.received).toHaveLength(1);
  });

  it('that is announced again, after a crash, is delivered once', async () => {
    const { receiver, endpoint, worker, announce } = await startOne();
    await announce();
    await worker.delivery(endpoint, 'completed');
    await announce();
    await world.idle();
    expect(receiver.received).toHaveLength(1);
  });

  it('reaches an endpoint that another process has made meanwhile', async () => {
    const worker = await startDelivering(world);
    const tenantId = world.newTenant();
    await worker.announce(failed(tenantId));
    const receiver = await startReceiver();
    await world.add(tenantId, receiver.url, { events: ['refresh-retry'] });
    await world.publish({ type: 'webhooks-changed', tenantId });
    let retryCount = 0;
    // The news may take a moment.
    await vi.waitFor(async () => {
      retryCount += 1;
      await worker.announce({ ...failed(tenantId), type: 'refresh-retry', retryCount });
      expect(receiver.received.length).toBeGreaterThan(0);
    }, 10_000);
  });
});

describe('a delivery that failed', () => {
  it('is tried again, the same message with the same id', async () => {
    const { receiver, endpoint, worker, announce } = await startOne();
    receiver.respond = (response) => response.writeHead(500).end();
    await announce();
    const report = await worker.delivery(endpoint, 'delayed');
    expect(report).toMatchObject({ type: 'needs_reauth', attempts: 1, lastResult: 'http_500' });
    receiver.respond = (response) => response.writeHead(204).end();
    await world.hasten(report);
    expect(await worker.delivery(endpoint, 'completed')).toMatchObject({
      attempts: 2,
      lastResult: 'http_204',
    });
    for (const outcome of ['failed', 'delivered'])
      expect(await worker.figures()).toContain(`connectors_webhook_deliveries_total{outcome="${outcome}"} 1`);
    const [first, second] = opened(endpoint, receiver);
    expect(second).toEqual(first);
  });

  it('waits as long as the receiver asks for', async () => {
    const { receiver, endpoint, worker, announce } = await startOne();
    receiver.respond = (response) => response.writeHead(429, { 'retry-after': '3600' }).end();
    await announce();
    const job = await world.job(await worker.delivery(endpoint, 'delayed'));
    expect(job?.delay).toBe(3_600_000);
  });

  it('because of a redirect does not go where that leads', async () => {
    const { receiver, endpoint, worker, announce } = await startOne();
    const elsewhere = await startReceiver();
    receiver.respond = (response) => response.writeHead(302, { location: elsewhere.url }).end();
    await announce();
    expect(await worker.delivery(endpoint, 'delayed')).toMatchObject({ lastResult: 'http_302' });
    expect(elsewhere.received).toEqual([]);
  });

  it('because the name of its endpoint leads to a private address by now reaches nobody', async () => {
    const receiver = await startReceiver();
    const addresses = ['93.184.215.14'];
    const guard = new EgressGuard({
      resolve: (_host, _options, callback) =>
        callback(
          null,
          addresses.map((address) => ({ address, family: 4 })),
        ),
    });
    const tenantId = world.newTenant();
    const endpoint = await world.add(tenantId, `https://hooks.example.com:${receiver.port}/`, {
      events: ['needs_reauth'],
    });
    addresses[0] = '127.0.0.1';
    const worker = await startDelivering(world, { guard });
    await worker.announce(failed(tenantId));
    expect(await worker.delivery(endpoint, 'delayed')).toMatchObject({ lastResult: 'egress_refused' });
    expect(receiver.received).toEqual([]);
  });

  it('eight times is given up, and its endpoint marked and left on; the next that arrives takes the mark away', async () => {
    const { tenantId, receiver, endpoint, worker, stored, announce } = await startOne();
    receiver.respond = (response) => response.writeHead(503).end();
    await announce();
    for (let attempts = 1; attempts < 8; attempts += 1) {
      const report = await worker.delivery(endpoint, 'delayed');
      expect(await stored()).not.toHaveProperty('failingSince');
      await world.hasten(report);
      await vi.waitFor(() => expect(receiver.received).toHaveLength(attempts + 1), 10_000);
    }
    const report = await worker.delivery(endpoint, 'failed');
    expect(report).toMatchObject({ attempts: 8, lastResult: 'http_503' });
    const [first] = opened(endpoint, receiver);
    expect(await stored()).toMatchObject({ enabled: true, failingSince: first?.timestamp });

    receiver.respond = (response) => response.writeHead(200).end();
    await worker.announce({ ...failed(tenantId), revision: 'r2' });
    await vi.waitFor(async () => expect(await stored()).not.toHaveProperty('failingSince'), 10_000);
  });

  it('after days of nothing else switches its endpoint off, and a line of the log tells', async () => {
    const { tenantId, receiver, endpoint, worker, stored } = await startOne();
    receiver.respond = (response) => response.writeHead(503).end();
    const { id: endpointId } = endpoint.endpoint;
    const give = (days: number, revision: string) => {
      const timestamp = new Date(Date.now() - days * 24 * 3_600_000).toISOString();
      const message = { id: `msg_${revision}`, type: 'needs_reauth', timestamp, data: {} } as const;
      return worker.webhooks.addDelivery({ tenantId, endpointId, message }, 1);
    };
    await give(4, 'a');
    await vi.waitFor(async () => expect(await stored()).toHaveProperty('failingSince'), 10_000);
    expect(await stored()).toMatchObject({ enabled: true });
    await world.vault.webhooks.markWorking(tenantId, endpointId);
    await give(6, 'b');
    await vi.waitFor(async () => expect(await stored()).toMatchObject({ disabledReason: 'failing' }), 10_000);
    expect(await stored()).toMatchObject({ enabled: false });
    expect(worker.lines.join('\n')).toContain('webhook endpoint switched off');
  });

  it('with 410 switches its endpoint off, and is not tried again', async () => {
    const { receiver, endpoint, worker, stored, announce } = await startOne();
    receiver.respond = (response) => response.writeHead(410).end();
    await announce();
    expect(await worker.delivery(endpoint, 'failed')).toMatchObject({ attempts: 1, lastResult: 'http_410' });
    expect(await stored()).toMatchObject({ enabled: false, disabledReason: 'gone' });
  });

  it('is dropped once its endpoint is switched off or deleted', async () => {
    const { tenantId, receiver, endpoint, worker, announce } = await startOne();
    receiver.respond = (response) => response.writeHead(500).end();
    await announce();
    const report = await worker.delivery(endpoint, 'delayed');
    await world.vault.webhooks.update(tenantId, endpoint.endpoint.id, { enabled: false });
    await world.hasten(report);
    expect(await worker.delivery(endpoint, 'completed')).toMatchObject({ lastResult: 'endpoint_disabled' });
    expect(receiver.received).toHaveLength(1);
  });

  it('because the key of its tenant is gone says so', async () => {
    const { tenantId, endpoint, worker, announce } = await startOne();
    const key = `${world.vaultServer.url}/v1/transit-refresh/keys/${tenantId}`;
    const headers = { 'X-Vault-Token': world.vaultServer.rootToken };
    const body = JSON.stringify({ deletion_allowed: true });
    await fetch(`${key}/config`, { method: 'POST', headers, body });
    await fetch(key, { method: 'DELETE', headers });
    await announce();
    expect(await worker.delivery(endpoint, 'delayed')).toMatchObject({ lastResult: 'secret_unreadable' });
  });
});

describe('a test message', () => {
  it('reaches an endpoint whatever it wants to know, and a failure marks nothing', async () => {
    const { tenantId, receiver, endpoint, worker, stored } = await startOne();
    const { id: endpointId } = endpoint.endpoint;
    receiver.respond = (response) => response.writeHead(500).end();
    const message = testMessage(tenantId, endpointId, Date.now());
    await worker.webhooks.addDelivery({ tenantId, endpointId, message }, 1);
    expect(await worker.delivery(endpoint, 'failed')).toMatchObject({ type: 'test', attempts: 1 });
    expect(opened(endpoint, receiver)).toMatchObject([{ type: 'test', data: { tenantId, endpointId } }]);
    expect(await stored()).not.toHaveProperty('failingSince');
  });
});

describe('while Vault is sealed', () => {
  it('a delivery waits, which costs it no try', async () => {
    const { tenantId, receiver, endpoint, worker } = await startOne();
    const { id: endpointId } = endpoint.endpoint;
    world.vaultServer.seal();
    const message = testMessage(tenantId, endpointId, Date.now());
    await worker.webhooks.addDelivery({ tenantId, endpointId, message }, 1);
    const report = await worker.delivery(endpoint, 'delayed');
    expect(report.attempts).toBe(0);
    world.vaultServer.unseal();
    await world.hasten(report);
    expect(await worker.delivery(endpoint, 'completed')).toMatchObject({ attempts: 1 });
    expect(receiver.received).toHaveLength(1);
  });
});
