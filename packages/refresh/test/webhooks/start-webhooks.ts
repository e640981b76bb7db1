import { Writable } from 'node:stream';
import { provisionVault, startEmbeddedVault, startRedis } from '@connectors/dev-servers';
import { EgressGuard } from '@connectors/egress';
import {
  connectRedis,
  createLogger,
  publishEvent,
  RefreshQueues,
  VaultClient,
  webhookEventTypes,
  type ConnectorsEvent,
  type EndpointWithSecret,
  type WebhookSettings,
} from '@connectors/vault-core';
import { Registry } from 'prom-client';
import { expect, onTestFinished, vi } from 'vitest';
import { createRefreshMetrics, openEngine, webhookQueueName, type DeliveryReport } from '../../src/index.ts';
import { limits } from '../start-refresh.ts';

/** Vault and Redis, for workers that deliver webhooks. */
export async function startWebhooks() {
  const [vaultServer, redisServer] = await Promise.all([startEmbeddedVault(), startRedis()]);
  await provisionVault({ address: vaultServer.url, token: vaultServer.rootToken, auditLog: 'off' });
  const vault = new VaultClient({ address: vaultServer.url, token: vaultServer.rootToken, maxRetries: 0 });
  const redis = connectRedis(redisServer.url, 'background', () => undefined);
  const queues = new RefreshQueues(redis, 'connectors');
  let tenants = 0;

  return {
    vaultServer,
    redisServer,
    vault,
    redis,
    /** A tenant of the test's own. */
    newTenant: () => `tenant-${(tenants += 1)}`,
    /** Stores an endpoint, and tells nobody. */
    add: (tenantId: string, url: string, settings: Partial<WebhookSettings> = {}) =>
      vault.webhooks.create(tenantId, { url, events: [...webhookEventTypes], enabled: true, ...settings }),
    publish: (event: ConnectorsEvent) => publishEvent(redis, 'connectors', event),
    /** Makes a delivery's next try due. */
    async hasten({ id }: DeliveryReport) {
      const job = await queues.queue(webhookQueueName).getJob(id);
      await job?.promote();
    },
    /** Once there is nothing to do at the moment. */
    idle: () =>
      vi.waitFor(async () => {
        const counts = await queues.queue(webhookQueueName).getJobCounts('wait', 'active');
        expect(counts).toEqual({ wait: 0, active: 0 });
      }, 10_000),
    job: ({ id }: DeliveryReport) => queues.queue(webhookQueueName).getJob(id),
    async close() {
      redis.disconnect();
      await queues.close();
      await vault.close();
      await Promise.all([vaultServer.close(), redisServer.close()]);
    },
  };
}

export type WebhookWorld = Awaited<ReturnType<typeof startWebhooks>>;

interface WorkerOptions {
  guard?: EgressGuard;
  vault?: VaultClient;
}

/** A worker that delivers until the test is over, once it has heard who has endpoints. */
export async function startDelivering(
  { redisServer, ...world }: WebhookWorld,
  { guard = new EgressGuard({ allow: ['127.0.0.1'] }), vault = world.vault }: WorkerOptions = {},
) {
  const lines: string[] = [];
  const registry = new Registry();
  const worker = openEngine({
    vault,
    redisUrl: redisServer.url,
    prefix: 'connectors',
    integrations: new Map(),
    guard,
    consoleUrl: 'https://console.example.com',
    settings: {
      concurrency: 10,
      sweepIntervalMs: 86_400_000,
      sweepCallsPerSecond: 1_000,
      lockMs: 1_000,
      stalledMs: 500,
      limits,
    },
    metrics: createRefreshMetrics([registry]),
    log: createLogger('worker', 'info', sinkInto(lines)),
  });
  onTestFinished(() => worker.close());
  worker.start();
  await vi.waitFor(() => expect(worker.requests.status).toBe('ready'), 10_000);
  return {
    lines,
    webhooks: worker.webhooks,
    figures: () => registry.metrics(),
    announce: worker.engine.announce,
    /** The only delivery to an endpoint, once it is in this state. */
    delivery: ({ endpoint }: EndpointWithSecret, state: string) =>
      vi.waitFor(
        async () => {
          const reports = await worker.webhooks.deliveries(endpoint.id);
          expect(reports).toMatchObject([{ state }]);
          return reports[0] as DeliveryReport;
        },
        { timeout: 10_000, interval: 20 },
      ),
  };
}

function sinkInto(lines: string[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(...chunk.toString().trim().split('\n'));
      done();
    },
  });
}
