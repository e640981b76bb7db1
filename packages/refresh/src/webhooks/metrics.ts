import { Counter, type Registry } from 'prom-client';

/** The figures of webhooks. No label names a tenant. */
export type WebhookMetrics = ReturnType<typeof createWebhookMetrics>;

/** The metrics of webhook deliveries. */
export function createWebhookMetrics(registers: Registry[]) {
  return {
    webhookDeliveries: new Counter({
      name: 'connectors_webhook_deliveries_total',
      help: 'Attempts to deliver a webhook, by outcome: delivered, failed (will be retried), given_up, gone (410) or skipped (endpoint deleted or switched off)',
      labelNames: ['outcome'],
      registers,
    }),
    webhooksLost: new Counter({
      name: 'connectors_webhooks_lost_total',
      help: 'Events for which no webhook will be sent, because they could not be queued',
      registers,
    }),
  };
}
