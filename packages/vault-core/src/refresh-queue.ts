import { Queue, type Job, type JobsOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import type { CredentialId } from './credential.ts';
import { checkId, isId } from './ids.ts';
import { orQueueUnavailable } from './redis.ts';

/** What a job knows: which state of which credential it is for. The credential itself is read when the job runs. */
export interface RefreshJobData extends CredentialId {
  revision: string;
}

export type RefreshJob = Job<ScheduledRefresh>;

interface ScheduledRefresh extends RefreshJobData {
  /** The provider asked not to be asked again for this credential before that: milliseconds since the epoch. */
  notBefore?: number;
}

/** How many jobs that could not be scheduled are remembered. */
const maxMissed = 10_000;

/** Lower is earlier. */
const priority = { forced: 1, scheduled: 10 };

/** Requests of proxies to refresh a credential now. The only queue that a proxy may add to. */
export const requestQueueName = 'refresh-requests';

/** A slow or throttling provider delays its own queue and no other. */
export function refreshQueueName(integration: string): string {
  return `refresh-${checkId('integration', integration)}`;
}

/** There is one job per stored state of a credential, so adding it again changes nothing. */
export function refreshJobId({ tenantId, revision }: RefreshJobData): string {
  return `${tenantId}.${revision}`;
}

const jobOptions: JobsOptions = {
  // How long a refresh is retried is decided by its failure, not by a count.
  attempts: Number.MAX_SAFE_INTEGER,
  backoff: { type: 'custom' },
  removeOnComplete: { age: 24 * 3600, count: 1_000 },
  removeOnFail: { age: 7 * 24 * 3600, count: 10_000 },
  stackTraceLimit: 0,
};

/** The refresh queues in Redis: one per integration, and the one for requests. */
export class RefreshQueues {
  readonly #queues = new Map<string, Queue>();
  readonly #missed = new Map<string, { data: RefreshJobData; dueAt: number }>();
  readonly #connection: Redis;
  readonly #prefix: string;

  constructor(connection: Redis, prefix: string) {
    this.#connection = connection;
    this.#prefix = prefix;
  }

  /** A queue by name. Ask for it each time: one that was opened while Redis was away is replaced. */
  queue<Data>(name: string): Queue<Data> {
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = new Queue(name, {
        connection: this.#connection,
        prefix: this.#prefix,
        // Callers wait for an answer: without Redis they are told so at once.
        skipWaitingForReady: true,
      });
      queue.on('error', () => undefined);
      // BullMQ looks at Redis once, when a queue is opened, and repeats the failure of that for ever.
      queue.waitUntilReady().catch(() => this.#discard(name));
      this.#queues.set(name, queue);
    }
    return queue as Queue<Data>;
  }

  /** Closed as well: its listeners stay on the connection otherwise, one set for each call in an outage. */
  #discard(name: string): void {
    const queue = this.#queues.get(name);
    this.#queues.delete(name);
    queue?.close().catch(() => undefined);
  }

  /** Makes sure that a job for this state of the credential is due at `dueAt` (milliseconds). Safe to repeat. */
  async schedule(data: RefreshJobData, dueAt: number, now: number): Promise<void> {
    const options = { ...jobOptions, delay: Math.max(0, dueAt - now), priority: priority.scheduled };
    const key = `${data.integration}/${refreshJobId(data)}`;
    try {
      await this.#add(refreshQueueName(data.integration), refreshJobId(data), data, options);
      this.#missed.delete(key);
    } catch (error) {
      if (this.#missed.size < maxMissed) this.#missed.set(key, { data, dueAt });
      throw error;
    }
  }

  /** Schedules what could not be for want of Redis. A sweep would find it too, but maybe hours later. */
  async scheduleMissed(now: number): Promise<void> {
    for (const { data, dueAt } of this.#missed.values()) await this.schedule(data, dueAt, now);
  }

  /**
   * {@link schedule}, and says what there was to do. A job that is over is left to {@link revive}; one that is `failing` is
   * there, and tried again.
   */
  async restore(
    data: RefreshJobData,
    dueAt: number,
    now: number,
  ): Promise<'present' | 'failing' | 'restored' | 'over'> {
    const job = await this.find(data);
    if (job?.finishedOn !== undefined) return 'over';
    if (job !== undefined) return job.attemptsMade > 0 ? 'failing' : 'present';
    await this.schedule(data, dueAt, now);
    return 'restored';
  }

  /** Puts a new job in the place of one that was completed or has failed for good. */
  async revive(data: RefreshJobData, dueAt: number, now: number): Promise<void> {
    await this.remove(data);
    await this.schedule(data, dueAt, now);
  }

  /**
   * Brings the job for this state of the credential to the front, whatever became of it; but a provider that asked for
   * time gets it.
   *
   * @throws ConnectorsError `queue_unavailable`
   */
  hasten(data: RefreshJobData, now: number): Promise<'hastened' | 'throttled'> {
    return orQueueUnavailable(this.#hasten(data, now));
  }

  async #hasten(data: RefreshJobData, now: number): Promise<'hastened' | 'throttled'> {
    const job = await this.find(data);
    if ((job?.data.notBefore ?? 0) > now) return 'throttled';
    await this.#toFront(job, data);
    return (await this.throttledForMs(data.integration)) > 0 ? 'throttled' : 'hastened';
  }

  async #toFront(job: RefreshJob | undefined, data: RefreshJobData): Promise<void> {
    if (job === undefined) {
      const options = { ...jobOptions, priority: priority.forced };
      await this.#add(refreshQueueName(data.integration), refreshJobId(data), data, options);
      return;
    }
    if (await takenUpAgain(job)) return;
    await job.changePriority({ priority: priority.forced }).catch(ignoreStateChange);
    await job.promote().catch(ignoreStateChange);
  }

  /** Takes no job of this integration for so many milliseconds. A longer pause that is under way stays. */
  async throttle(integration: string, ms: number): Promise<void> {
    if ((await this.throttledForMs(integration)) >= ms) return;
    await this.queue(refreshQueueName(integration)).rateLimit(ms);
  }

  /** For how many milliseconds more {@link throttle} holds; 0 if it does not. */
  async throttledForMs(integration: string): Promise<number> {
    // A throttled queue counts as having used up any limit; the integration's own limit of jobs per second is no matter here.
    const ttl = await this.queue(refreshQueueName(integration)).getRateLimitTtl(Number.MAX_SAFE_INTEGER);
    return Math.max(0, ttl);
  }

  /** Takes the job for a state of the credential away, unless a worker is at it. Says whether it did. */
  async remove(data: RefreshJobData): Promise<boolean> {
    return (await this.queue(refreshQueueName(data.integration)).remove(refreshJobId(data))) === 1;
  }

  /**
   * Some of the jobs in one state. Begin with the cursor `0` and go on with `next` until it is `0` again: what is there all
   * that time is on one of the pages at least, whatever comes and goes meanwhile.
   */
  async page(
    integration: string,
    state: 'delayed' | 'prioritized' | 'failed',
    cursor: string,
  ): Promise<{ jobs: RefreshJobData[]; next: string }> {
    const key = this.queue(refreshQueueName(integration)).toKey(state);
    const [next, entries] = await this.#connection.zscan(key, cursor, 'COUNT', 100);
    const ids = entries.filter((_, index) => index % 2 === 0);
    return { jobs: ids.flatMap((id) => parseJobId(integration, id)), next };
  }

  /** When a job that waits is due, in milliseconds since the epoch; `undefined` for one that does not wait. */
  async dueAt(data: RefreshJobData): Promise<number | undefined> {
    const key = this.queue(refreshQueueName(data.integration)).toKey('delayed');
    const score = await this.#connection.zscore(key, refreshJobId(data));
    // BullMQ multiplies the time, to keep the order of jobs that are due at once.
    return score === null ? undefined : Math.floor(Number(score) / 0x1000);
  }

  find(data: RefreshJobData): Promise<RefreshJob | undefined> {
    return this.queue<ScheduledRefresh>(refreshQueueName(data.integration)).getJob(refreshJobId(data));
  }

  /**
   * Asks the workers to refresh a credential now. Requests for the same state of it, while one is waiting, are one.
   *
   * @throws ConnectorsError `queue_unavailable`
   */
  async request(data: RefreshJobData): Promise<void> {
    const options = { removeOnComplete: true, removeOnFail: true };
    await this.#add(requestQueueName, `${data.tenantId}.${data.integration}.${data.revision}`, data, options);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
  }

  async #add(queue: string, jobId: string, data: RefreshJobData, options: JobsOptions): Promise<void> {
    await orQueueUnavailable(this.queue<RefreshJobData>(queue).add('refresh', data, { ...options, jobId }));
  }
}

/** None for a job that is not ours. */
function parseJobId(integration: string, id: string): RefreshJobData[] {
  const [tenantId = '', revision = ''] = id.split('.');
  return isId(tenantId) && isId(revision) ? [{ tenantId, integration, revision }] : [];
}

/**
 * Puts a job that has ended back into its queue. Vault alone says what is left to do: restored from a backup, it may hold a
 * state whose job completed long ago.
 */
async function takenUpAgain(job: RefreshJob): Promise<boolean> {
  const state = await job.getState();
  if (state !== 'failed' && state !== 'completed') return false;
  await job.retry(state).catch(ignoreStateChange);
  return true;
}

/** A worker may have taken the job between the look and the change: then the refresh is already under way. */
function ignoreStateChange(error: unknown): void {
  const code = (error as { code?: unknown }).code;
  if (code !== -1 && code !== -3) throw error;
}
