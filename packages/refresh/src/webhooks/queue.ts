import { orQueueUnavailable, type RefreshQueues } from '@connectors/vault-core';
import type { Job, JobsOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import type { WebhookMessage } from './message.ts';
import { deliveryAttempts } from './retry-schedule.ts';

export const webhookQueueName = 'webhooks';

/** A job knows ids and what happened. Where it goes, and what signs it, is read from Vault at each delivery. */
export interface WebhookJobData {
  tenantId: string;
  message: WebhookMessage;
  /** Absent: look up whose endpoints want the message, and add a job for each. */
  endpointId?: string;
}

export type DeliveryJobData = Required<WebhookJobData>;

/** A delivery as an operator sees it. */
export interface DeliveryReport {
  id: string;
  messageId: string;
  type: string;
  /** Of BullMQ: `delayed` is waiting for its next try. */
  state: string;
  /** How often it was tried. */
  attempts: number;
  /** What came of the last try: a status, or a code where there was none. */
  lastResult?: string;
  createdAt: string;
}

/** How many deliveries of an endpoint are remembered. */
const maxRemembered = 50;

const day = 24 * 3600;

const common: JobsOptions = {
  backoff: { type: 'custom' },
  removeOnComplete: { age: 3 * day, count: 10_000 },
  removeOnFail: { age: 7 * day, count: 10_000 },
  stackTraceLimit: 0,
};

/**
 * The queue of webhooks, in Redis: what happened, to be told, and the deliveries to single endpoints. Methods throw
 * `queue_unavailable` without Redis.
 */
export class WebhookQueue {
  readonly #queues: RefreshQueues;
  readonly #redis: Redis;
  readonly #prefix: string;

  /** @param redis fails at once without Redis */
  constructor(queues: RefreshQueues, redis: Redis, prefix: string) {
    this.#queues = queues;
    this.#redis = redis;
    this.#prefix = prefix;
  }

  /** Leaves messages to whichever worker comes next. One that was added before is not added again. */
  async addMessages(tenantId: string, messages: readonly WebhookMessage[]): Promise<void> {
    const jobs = messages.map((message) => ({
      name: 'message',
      data: { tenantId, message },
      opts: { ...common, jobId: message.id, attempts: deliveryAttempts },
    }));
    await orQueueUnavailable(this.#queue().addBulk(jobs));
  }

  /**
   * Adds the delivery of a message to one endpoint; again it changes nothing.
   *
   * @param attempts how often it is tried at the most
   */
  async addDelivery(data: DeliveryJobData, attempts = deliveryAttempts): Promise<string> {
    const jobId = `${data.message.id}.${data.endpointId}`;
    const remembered = this.#remembered(data.endpointId);
    const remember = this.#redis
      .multi()
      .lrem(remembered, 0, jobId)
      .lpush(remembered, jobId)
      .ltrim(remembered, 0, maxRemembered - 1)
      .expire(remembered, 7 * day);
    await orQueueUnavailable(remember.exec());
    await orQueueUnavailable(this.#queue().add('delivery', data, { ...common, jobId, attempts }));
    return jobId;
  }

  /** The last deliveries to an endpoint, the newest first. */
  async deliveries(endpointId: string): Promise<DeliveryReport[]> {
    const ids = await orQueueUnavailable(this.#redis.lrange(this.#remembered(endpointId), 0, -1));
    const reports = await orQueueUnavailable(Promise.all(ids.map((id) => this.#report(id))));
    return reports.filter((report) => report !== undefined);
  }

  async #report(id: string): Promise<DeliveryReport | undefined> {
    // Before the job: what is told of one that has ended meanwhile must be its end.
    const state = await this.#queue().getJobState(id);
    const job: Job<WebhookJobData> | undefined = await this.#queue().getJob(id);
    if (job === undefined) return undefined;
    const { message } = job.data;
    const lastResult = resultOf(job);
    return {
      id,
      messageId: message.id,
      type: message.type,
      state,
      attempts: job.attemptsMade,
      ...(lastResult === undefined ? {} : { lastResult }),
      createdAt: new Date(job.timestamp).toISOString(),
    };
  }

  #queue() {
    return this.#queues.queue<WebhookJobData>(webhookQueueName);
  }

  #remembered(endpointId: string): string {
    return `${this.#prefix}:webhook-deliveries:${endpointId}`;
  }
}

function resultOf({ returnvalue, failedReason }: Job): string | undefined {
  const { result } = (returnvalue ?? {}) as { result?: unknown };
  return typeof result === 'string' ? result : failedReason;
}
