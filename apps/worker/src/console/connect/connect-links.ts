import { hash, randomBytes } from 'node:crypto';
import { newDocumentId, orQueueUnavailable } from '@connectors/vault-core';
import type { Redis } from 'ioredis';
import type { Offboardings } from '../offboardings.ts';
import { visitSchema, type Visit } from './tenant-session.ts';

export interface ConnectLink {
  /** Names it in events and to the operator; opens nothing. */
  id: string;
  /** What the link ends in. Redis knows only its SHA-256. */
  token: string;
  expiresAt: Date;
}

/** What the user is sent. */
export function linkUrl(consoleUrl: string, { token }: Pick<ConnectLink, 'token'>): string {
  return `${consoleUrl}/connect/session/${token}`;
}

/**
 * Links by which an operator's backend sends a user here. Each can be used once. Methods throw `queue_unavailable` without
 * Redis.
 */
export class ConnectLinks {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #offboardings: Offboardings;

  constructor(redis: Redis, prefix: string, offboardings: Offboardings) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#offboardings = offboardings;
  }

  async create(visit: Visit, seconds: number, id = newDocumentId()): Promise<ConnectLink> {
    const token = randomBytes(32).toString('base64url');
    const madeAt = await this.#offboardings.now();
    const text = JSON.stringify({ ...visit, connectSession: id, madeAt });
    await orQueueUnavailable(this.#redis.set(this.#key(token), text, 'EX', seconds));
    return { id, token, expiresAt: new Date(madeAt + seconds * 1000) };
  }

  /** What a link is for, as long as it is good; to look consumes nothing. */
  async find(token: string): Promise<Visit | undefined> {
    return this.#read(await orQueueUnavailable(this.#redis.get(this.#key(token))));
  }

  /** Uses a link up. Of two at once one gets it. */
  async redeem(token: string): Promise<Visit | undefined> {
    return this.#read(await orQueueUnavailable(this.#redis.getdel(this.#key(token))));
  }

  async #read(text: string | null): Promise<Visit | undefined> {
    if (text === null) return undefined;
    const visit = visitSchema.parse(JSON.parse(text));
    return (await this.#offboardings.isSince(visit.tenantId, visit.madeAt ?? 0)) ? undefined : visit;
  }

  #key(token: string): string {
    return `${this.#prefix}:connect-session:${hash('sha256', token, 'base64url')}`;
  }
}
