import type { EgressGuard } from '@connectors/egress';
import { VaultError, type Secret, type WebhookEndpoint, type WebhookStore } from '@connectors/vault-core';
import { UnrecoverableError, type Job } from 'bullmq';
import type { Logger } from 'pino';
import { RetryAfterError } from '../jobs/backoff.ts';
import type { WebhookMetrics } from './metrics.ts';
import type { DeliveryJobData, WebhookQueue } from './queue.ts';
import { sendWebhook } from './send.ts';
import { signWebhook } from './sign.ts';
import type { Turns } from './turns.ts';
import { judgeDelivery, type Verdict } from './verdict.ts';

/** A receiver has this long, in milliseconds, from the look-up of its name to its answer. */
const timeoutMs = 15_000;
/** An endpoint at which every delivery failed for this long, in milliseconds, is switched off. */
const patienceMs = 5 * 24 * 3600_000;

export interface DeliveryDeps {
  store: WebhookStore;
  queue: WebhookQueue;
  guard: EgressGuard;
  turns: Turns;
  metrics: WebhookMetrics;
  log: Logger;
  now: () => number;
}

/** Too many deliveries to this endpoint, or of this tenant, are under way. */
export class NoTurnError extends Error {}

/**
 * Delivers a message to one endpoint: turn → endpoint → secrets → sign → send → judge → conclude. May run twice for the
 * same job, after a crash: the message has the same id again.
 *
 * @throws VaultError before anything was sent, or where what follows from an answer could not be stored
 */
export async function deliver(deps: DeliveryDeps, job: Job<DeliveryJobData>): Promise<object> {
  const { tenantId, endpointId } = job.data;
  using turn = deps.turns.take(tenantId, endpointId);
  if (turn === undefined) throw new NoTurnError();
  const endpoint = await deps.store.find(tenantId, endpointId);
  if (endpoint?.enabled !== true) {
    deps.metrics.webhookDeliveries.inc({ outcome: 'skipped' });
    return { result: endpoint === undefined ? 'endpoint_deleted' : 'endpoint_disabled' };
  }
  const secrets = await deps.store.secrets(tenantId, endpoint).catch(unlessUnreadable);
  if (secrets === undefined) return conclude(deps, job, endpoint, secretUnreadable);
  return conclude(deps, job, endpoint, await attempt(deps, job.data, endpoint, secrets));
}

/** Signs anew at each try: a receiver refuses what was signed long ago. */
async function attempt(
  { guard, now }: DeliveryDeps,
  { message }: DeliveryJobData,
  endpoint: WebhookEndpoint,
  secrets: Secret[],
): Promise<Verdict> {
  const { id, ...content } = message;
  const body = JSON.stringify(content);
  const sentAt = Math.floor(now() / 1000);
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(sentAt),
    'webhook-signature': signWebhook(id, sentAt, body, secrets),
  };
  return judgeDelivery(await sendWebhook({ url: endpoint.url, headers, body }, { guard, timeoutMs, now }));
}

async function conclude(
  deps: DeliveryDeps,
  job: Job<DeliveryJobData>,
  endpoint: WebhookEndpoint,
  verdict: Verdict,
): Promise<object> {
  const { tenantId, endpointId, message } = job.data;
  const tries = job.attemptsMade + 1;
  const isLast = verdict.kind === 'failed' && tries >= (job.opts.attempts ?? 1);
  const outcome = isLast ? 'given_up' : verdict.kind;
  deps.metrics.webhookDeliveries.inc({ outcome });
  const about = { tenantId, endpointId, messageId: message.id, type: message.type };
  deps.log[outcome === 'delivered' ? 'info' : 'warn']({ ...about, ...verdict, tries, outcome }, 'webhook');

  switch (verdict.kind) {
    case 'delivered':
      if (endpoint.failingSince !== undefined)
        await attemptToMark(deps, () => deps.store.markWorking(tenantId, endpointId));
      return { result: `http_${verdict.status}` };
    case 'gone':
      await deps.store.disable(tenantId, endpointId, 'gone');
      throw new UnrecoverableError('http_410');
    case 'failed':
      if (isLast && message.type !== 'test') await attemptToMark(deps, () => markFailing(deps, job.data));
      throw new RetryAfterError(verdict.reason, verdict.retryAfterMs ?? 0);
  }
}

/** Makes a failure visible; and after days of nothing else, the end of it. */
async function markFailing(
  { store, log, now }: DeliveryDeps,
  { tenantId, endpointId, message }: DeliveryJobData,
): Promise<void> {
  const marked = await store.markFailing(tenantId, endpointId, new Date(message.timestamp));
  if (marked?.failingSince === undefined || now() - Date.parse(marked.failingSince) < patienceMs) return;
  await store.disable(tenantId, endpointId, 'failing');
  log.error({ tenantId, endpointId, failingSince: marked.failingSince }, 'webhook endpoint switched off');
}

/** A mark that cannot be written is no reason to send the message again. */
async function attemptToMark({ log }: DeliveryDeps, mark: () => Promise<void>): Promise<void> {
  try {
    await mark();
  } catch (error) {
    log.warn({ err: error }, 'webhook endpoint not marked');
  }
}

const secretUnreadable: Verdict = { kind: 'failed', reason: 'secret_unreadable' };

/** The tenant's key is gone, or the document was changed by hand. All else is an outage, or a slip of the operator's. */
function unlessUnreadable(error: unknown): undefined {
  const reason = error instanceof VaultError ? error.reason : undefined;
  if (reason !== 'key_not_found' && reason !== 'rejected') throw error;
}
