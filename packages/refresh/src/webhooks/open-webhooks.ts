import type { EgressGuard } from '@connectors/egress';
import type { EventSubscription, RefreshQueues, VaultClient } from '@connectors/vault-core';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { WebhookAnnouncer } from './announcer.ts';
import type { DeliveryDeps } from './deliver.ts';
import type { WebhookMetrics } from './metrics.ts';
import { WebhookQueue } from './queue.ts';
import { Turns } from './turns.ts';

export interface WebhookOptions {
  vault: VaultClient;
  prefix: string;
  guard: EgressGuard;
  consoleUrl?: string;
  metrics: WebhookMetrics;
  log: Logger;
}

export interface OpenWebhooks {
  announcer: WebhookAnnouncer;
  deliveries: DeliveryDeps;
}

/** Puts together what tells tenants of events. */
export function openWebhooks(
  { vault, prefix, guard, consoleUrl, metrics, log }: WebhookOptions,
  { queues, requests, events }: { queues: RefreshQueues; requests: Redis; events: EventSubscription },
): OpenWebhooks {
  const store = vault.webhooks;
  const queue = new WebhookQueue(queues, requests, prefix);
  const shared = { store, queue, metrics, log, now: Date.now };
  const announcer = new WebhookAnnouncer({ ...shared, consoleUrl });
  events.on('event', (event) => announcer.hear(event));
  events.on('gap', () => announcer.refresh());
  return { announcer, deliveries: { ...shared, guard, turns: new Turns() } };
}
