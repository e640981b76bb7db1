import type { EgressGuard } from '@connectors/egress';
import { EventSubscription, type RefreshQueues, type VaultClient } from '@connectors/vault-core';
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
  close(): void;
}

/** Puts together what tells tenants of events. `events` is a connection that does nothing else; it is closed with this. */
export function openWebhooks(
  { vault, prefix, guard, consoleUrl, metrics, log }: WebhookOptions,
  { queues, requests, events }: { queues: RefreshQueues; requests: Redis; events: Redis },
): OpenWebhooks {
  const store = vault.webhooks;
  const queue = new WebhookQueue(queues, requests, prefix);
  const shared = { store, queue, metrics, log, now: Date.now };
  const announcer = new WebhookAnnouncer({ ...shared, consoleUrl });
  const subscription = new EventSubscription(events, prefix);
  subscription.on('event', (event) => announcer.hear(event));
  subscription.on('gap', () => announcer.refresh());
  return {
    announcer,
    deliveries: { ...shared, guard, turns: new Turns() },
    close: () => subscription.close(),
  };
}
