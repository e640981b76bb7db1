import { VaultError } from '@connectors/vault-core';
import { DelayedError, UnrecoverableError, type Job } from 'bullmq';
import { RetryAfterError } from '../jobs/backoff.ts';
import { failureCode } from '../jobs/job-failure.ts';
import { deliver, NoTurnError, type DeliveryDeps } from './deliver.ts';
import type { DeliveryJobData, WebhookJobData } from './queue.ts';

/**
 * Runs one job of the queue of webhooks. Neither Vault being away nor other deliveries being under way costs it a try:
 * then it comes again a little later. What it returns and throws lands in Redis: ids, times and codes.
 */
export async function runWebhookJob(
  deps: DeliveryDeps,
  job: Job<WebhookJobData>,
  token: string,
): Promise<object> {
  try {
    return await (isDelivery(job) ? deliver(deps, job) : fanOut(deps, job.data));
  } catch (error) {
    if (error instanceof NoTurnError) return postpone(deps, job, token);
    if (error instanceof RetryAfterError || error instanceof UnrecoverableError) throw error;
    deps.log.warn({ job: job.id, err: error }, 'webhook put off');
    if (error instanceof VaultError) return postpone(deps, job, token);
    throw new RetryAfterError(failureCode(error), 0);
  }
}

/** Adds a delivery for each endpoint that wants the message. Their ids are made from both, so that it may run twice. */
async function fanOut(
  { store, queue }: DeliveryDeps,
  { tenantId, message }: WebhookJobData,
): Promise<object> {
  const endpoints = (await store.list(tenantId)).filter(
    ({ enabled, events }) => enabled && events.includes(message.type),
  );
  for (const { id } of endpoints) await queue.addDelivery({ tenantId, message, endpointId: id });
  return { deliveries: endpoints.length };
}

async function postpone({ now }: DeliveryDeps, job: Job, token: string): Promise<never> {
  // Apart from each other: many may be waiting for the same.
  await job.moveToDelayed(now() + 1_000 + Math.random() * 9_000, token);
  throw new DelayedError();
}

function isDelivery(job: Job<WebhookJobData>): job is Job<DeliveryJobData> {
  return job.data.endpointId !== undefined;
}
