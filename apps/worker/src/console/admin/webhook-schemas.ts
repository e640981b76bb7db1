import { webhookEventTypes, type WebhookEndpoint } from '@connectors/vault-core';
import { z } from 'zod';
import { id, tenantParams } from './params.ts';

export const webhookParams = tenantParams.extend({ webhookId: id });

const url = z.string().max(2_048).describe('https, and reachable from the public internet.');
const events = z
  .array(z.enum(webhookEventTypes))
  .min(1)
  .transform((types) => [...new Set(types)])
  .describe('The types of messages that it gets.');
const description = z.string().max(200);

/** All that somebody may have to act on. A refresh that went well is told to who asks for it. */
const defaultEvents = webhookEventTypes.filter((type) => type !== 'refresh-success');

export const newWebhook = z.strictObject({
  url,
  events: events.prefault(defaultEvents),
  description: description.optional(),
  enabled: z.boolean().default(true),
});

export const webhookChange = z.strictObject({
  url: url.exactOptional(),
  events: events.exactOptional(),
  /** `null` takes it away. */
  description: description.nullable().exactOptional(),
  enabled: z.boolean().exactOptional(),
});

export const webhook = z
  .object({
    id: z.string(),
    url: z.string(),
    events: z.array(z.string()),
    description: z.string().optional(),
    enabled: z.boolean(),
    createdAt: z.string(),
    updatedAt: z.string(),
    /** Since when every delivery fails. */
    failingSince: z.string().optional(),
    disabledReason: z.string().optional(),
    /** Until when the secret before the current one signs beside it. */
    previousSecretUntil: z.string().optional(),
  })
  .meta({ id: 'Webhook' });

export const webhookWithSecret = webhook.extend({ secret: z.string().describe('Shown this once.') });

export const webhookList = z.object({ items: z.array(webhook) });

const delivery = z.object({
  id: z.string(),
  messageId: z.string(),
  type: z.string(),
  state: z.string(),
  attempts: z.int(),
  lastResult: z.string().optional(),
  createdAt: z.string(),
});

export const deliveryList = z.object({ items: z.array(delivery) });

export const queued = z.object({ deliveryId: z.string() });

/** An endpoint as the API shows it. */
export function toWebhook({ secrets, ...endpoint }: WebhookEndpoint, now: number): z.input<typeof webhook> {
  const until = secrets[1]?.expiresAt;
  const isCurrent = until !== undefined && Date.parse(until) > now;
  return { ...endpoint, ...(isCurrent ? { previousSecretUntil: until } : {}) };
}
