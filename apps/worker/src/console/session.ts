import { createHmac } from 'node:crypto';
import type { Secret } from '@connectors/vault-core';
import { consoleKey } from './console-key.ts';
import { isSame } from './is-same.ts';

const lifetimeMs = 12 * 3600_000;

/**
 * Sign-in of the operator. A session is its end and a MAC under a key made from the admin token: nothing is stored, and a new
 * admin token ends every session.
 */
export class AdminSessions {
  readonly #adminToken: Secret;
  readonly #key: Buffer;
  readonly #now: () => number;

  constructor(adminToken: Secret, now: () => number) {
    this.#adminToken = adminToken;
    this.#key = consoleKey(adminToken, 'operator session');
    this.#now = now;
  }

  isAdminToken(presented: string): boolean {
    return isSame(presented, this.#adminToken.reveal());
  }

  /** The value of a session cookie. */
  open(): string {
    const end = String(this.#now() + lifetimeMs);
    return `${end}.${this.#mac(end)}`;
  }

  isOpen(cookie: string | undefined): boolean {
    const [end, mac] = cookie?.split('.') ?? [];
    if (end === undefined || mac === undefined) return false;
    return isSame(mac, this.#mac(end)) && Number(end) > this.#now();
  }

  #mac(end: string): string {
    return createHmac('sha256', this.#key).update(end).digest('base64url');
  }
}
