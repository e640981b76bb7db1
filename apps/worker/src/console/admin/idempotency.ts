import { hash } from 'node:crypto';
import { ConnectorsError, errorTable, newDocumentId, orQueueUnavailable } from '@connectors/vault-core';
import type { FastifyRequest } from 'fastify';
import type { Redis } from 'ioredis';

/** How long a key is remembered, in seconds. */
const rememberedSeconds = 24 * 3600;

/** How long a request may be under way, in seconds; longer than all tries of its calls to Vault together. */
const underWaySeconds = 120;

/** A repeat of a request that did what it was to do. Its first answer is gone, for it held a secret. */
export class AlreadyCreatedError extends ConnectorsError {
  readonly id: string;

  constructor(id: string, next: string) {
    super('already_created', `An earlier request with this idempotency key made ${id}. ${next}`);
    this.id = id;
  }
}

export interface Creation<Made> {
  /** As it was checked: what a repeat has to say as well. */
  body: unknown;
  /** Whether something with this id is there. */
  exists: (id: string) => Promise<boolean>;
  create: (id: string) => Promise<Made>;
  /** What to do who has lost the first answer. */
  next: string;
}

interface Memory {
  id: string;
  body: string;
  isDone?: true;
}

/**
 * Sees to it that a request with an `Idempotency-Key` makes one thing however often it is repeated. The id of what it will
 * make is in Redis before it is made: whoever repeats it after a crash finds out whether it was, and goes on with that id.
 * Redis holds ids and hashes, and no answer.
 */
export class Idempotency {
  readonly #redis: Redis;
  readonly #prefix: string;

  /** @param redis fails at once without Redis */
  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  /**
   * @throws ConnectorsError `idempotency_key_reused`, `request_in_progress`, `already_created`; `queue_unavailable`: without
   *   Redis nothing can be promised, and nothing was made
   */
  async once<Made>(request: FastifyRequest, creation: Creation<Made>): Promise<Made> {
    const header = request.headers['idempotency-key'];
    if (header === undefined) return creation.create(newDocumentId());
    const name = this.#nameOf(request, header);
    const body = digest(JSON.stringify(creation.body));
    const memory = await orQueueUnavailable(this.#remember(name, { id: newDocumentId(), body }));
    if (memory === undefined) throw inProgress();
    if (memory.body !== body) throw new ConnectorsError('idempotency_key_reused');
    if (memory.isDone) throw new AlreadyCreatedError(memory.id, creation.next);
    if (!(await orQueueUnavailable(this.#lock(name)))) throw inProgress();
    try {
      // The one who held the lock before may have done it since the memory was read.
      const latest = (await orQueueUnavailable(this.#remember(name, memory))) ?? memory;
      if (latest.isDone) throw new AlreadyCreatedError(latest.id, creation.next);
      return await this.#create(name, latest, creation);
    } finally {
      await this.#redis.del(`${name}:lock`).catch(() => undefined);
    }
  }

  async #create<Made>(name: string, memory: Memory, creation: Creation<Made>): Promise<Made> {
    const { id } = memory;
    const done = JSON.stringify({ ...memory, isDone: true } satisfies Memory);
    // If it cannot be noted that it is done, a repeat asks Vault.
    const noteDone = () => this.#redis.set(name, done, 'EX', rememberedSeconds).catch(() => undefined);
    if (await creation.exists(id)) {
      await noteDone();
      throw new AlreadyCreatedError(id, creation.next);
    }
    try {
      const made = await creation.create(id);
      await noteDone();
      return made;
    } catch (error) {
      // Refused, it has made nothing, and may be corrected. After any other failure nobody knows yet.
      const isRefused = error instanceof ConnectorsError && errorTable[error.code].status < 500;
      if (isRefused) await this.#redis.del(name).catch(() => undefined);
      throw error;
    }
  }

  /** What was remembered first. */
  async #remember(name: string, memory: Memory): Promise<Memory | undefined> {
    const isFirst = await this.#redis.set(name, JSON.stringify(memory), 'EX', rememberedSeconds, 'NX');
    if (isFirst === 'OK') return memory;
    const text = await this.#redis.get(name);
    return text === null ? undefined : (JSON.parse(text) as Memory);
  }

  async #lock(name: string): Promise<boolean> {
    return (await this.#redis.set(`${name}:lock`, '1', 'EX', underWaySeconds, 'NX')) === 'OK';
  }

  #nameOf({ method, url }: FastifyRequest, header: string | string[]): string {
    if (typeof header !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(header))
      throw new ConnectorsError(
        'invalid_request',
        'Idempotency-Key: must be 1 to 200 visible characters of ASCII',
      );
    return `${this.#prefix}:idempotency:${digest(JSON.stringify([method, url, header]))}`;
  }
}

function inProgress(): ConnectorsError {
  return new ConnectorsError('request_in_progress', undefined, { retryAfterMs: 1_000 });
}

function digest(text: string): string {
  return hash('sha256', text, 'base64url');
}
