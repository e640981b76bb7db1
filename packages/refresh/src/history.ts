import { eventSchema, type ConnectorsEvent, type EventSubscription } from '@connectors/vault-core';
import type { Redis } from 'ioredis';

/** An event that is over: ids, times and codes. */
export type HistoryEntry = ConnectorsEvent & {
  /** Its place in the history: later ones are greater. */
  id: string;
  /** When it was announced, in ISO 8601 on Redis's clock. */
  at: string;
};

export interface HistoryPage {
  /** The newest first. */
  items: HistoryEntry[];
  /** What `before` is for the next page; absent on the last one. */
  next?: string;
}

/** Whose history: a tenant's, or that of all. */
export interface HistoryOf {
  tenantId?: string | undefined;
}

/** How many events are remembered of one tenant, and of all together. */
const perTenant = 100;
const ofAll = 10_000;

/** A tenant that nothing happens to is forgotten after so many seconds. */
const tenantSeconds = 30 * 24 * 3600;

/** Ids of a stream in Redis. */
export const historyIdPattern = /^\d{1,15}-\d{1,15}$/;

/**
 * The last events of each tenant and of all, in Redis: lost with it, and never needed to decide anything. Methods throw the
 * errors of the connection.
 */
export class EventHistory {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #live: EventSubscription;

  /**
   * @param redis fails at once without Redis; events have to be published over the same connection, after they were added
   * @param live says that there is something new
   */
  constructor(redis: Redis, prefix: string, live: EventSubscription) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#live = live;
  }

  async add(event: ConnectorsEvent): Promise<void> {
    // Asked for by every request whose upstream refuses a fresh token: they would push out what happened.
    if (event.type === 'refresh-declined') return;
    const entry = JSON.stringify(eventSchema.parse(event));
    const adding = this.#redis.pipeline().xadd(this.#key({}), 'MAXLEN', '~', ofAll, '*', 'event', entry);
    if ('tenantId' in event) {
      const key = this.#key(event);
      adding.xadd(key, 'MAXLEN', '=', perTenant, '*', 'event', entry).expire(key, tenantSeconds);
    }
    await adding.exec();
  }

  /** @param before an id: only older ones */
  async page(of: HistoryOf, limit: number, before?: string): Promise<HistoryPage> {
    // Redis takes it for an error to ask what is older than the oldest id that there can be.
    if (before !== undefined && /^0+-0+$/.test(before)) return { items: [] };
    const from = before === undefined ? '+' : `(${before}`;
    const found = await this.#redis.xrevrange(this.#key(of), from, '-', 'COUNT', limit + 1);
    const items = found.slice(0, limit).flatMap(readEntry);
    const last = found[limit - 1]?.[0];
    return { items, ...(found.length > limit && last !== undefined ? { next: last } : {}) };
  }

  /** What came after an id, the oldest first; at most 100. */
  async after(of: HistoryOf, id: string): Promise<HistoryEntry[]> {
    const found = await this.#redis.xrange(this.#key(of), `(${id}`, '+', 'COUNT', 100);
    return found.flatMap(readEntry);
  }

  /** The id that everything to come is greater than. */
  async newestId(of: HistoryOf): Promise<string> {
    const [newest] = await this.#redis.xrevrange(this.#key(of), '+', '-', 'COUNT', 1);
    return newest?.[0] ?? '0-0';
  }

  /**
   * Tells of each event as it happens, none twice, and also of those that happened while Redis was out of reach.
   *
   * @param since an id of the history, say that of the newest event on a page; absent: from now on
   * @returns ends it
   */
  subscribe(of: HistoryOf, listener: (entry: HistoryEntry) => void, since?: string): () => void {
    let last = since;
    const ended = new AbortController();
    const look = oneAtATime(async () => {
      last ??= await this.newestId(of);
      let news: HistoryEntry[];
      do {
        news = await this.after(of, last);
        for (const entry of ended.signal.aborted ? [] : news) listener(entry);
        last = news.at(-1)?.id ?? last;
      } while (news.length > 0 && !ended.signal.aborted);
    });
    const hear = (event: ConnectorsEvent) => {
      if (of.tenantId === undefined || ('tenantId' in event && event.tenantId === of.tenantId)) look();
    };
    this.#live.on('event', hear).on('gap', look);
    look();
    return () => {
      ended.abort();
      this.#live.off('event', hear).off('gap', look);
    };
  }

  /** Forgets a tenant. What the history of all says of it goes with time. */
  async forget(tenantId: string): Promise<void> {
    await this.#redis.del(this.#key({ tenantId }));
  }

  #key({ tenantId }: HistoryOf): string {
    return tenantId === undefined ? `${this.#prefix}:history` : `${this.#prefix}:history:${tenantId}`;
  }
}

/** None for what a newer version of ours may have written. */
function readEntry([id, [, json = '']]: [string, string[]]): HistoryEntry[] {
  const event = eventSchema.safeParse(JSON.parse(json)).data;
  if (event === undefined) return [];
  return [{ ...event, id, at: new Date(Number(id.split('-')[0])).toISOString() }];
}

/** Asked for while it runs, it runs once more: what it was asked for may have come after it looked. */
function oneAtATime(task: () => Promise<void>): () => void {
  let running = false;
  let again = false;
  const run = async (): Promise<void> => {
    running = true;
    do {
      again = false;
      // Without Redis there is a gap, after which it is asked for again.
      await task().catch(() => undefined);
    } while (again);
    running = false;
  };
  return () => {
    again = true;
    if (!running) void run();
  };
}
