import { createHmac, randomBytes } from 'node:crypto';
import type { Secret } from '@connectors/vault-core';
import { consoleKey } from '../console-key.ts';
import { isSame } from '../is-same.ts';

const lifetimeMs = 10 * 60_000;

/** What binds an issuer's answer to the browser that was sent there. */
export interface Checks {
  state: string;
  nonce: string;
  codeVerifier: string;
}

/**
 * Sign-ins that are under way. The browser holds a random id and its end, with a MAC; everything that is checked at
 * the end is made from the id under a key made from the admin token. Nothing is stored.
 */
export class SignInAttempts {
  readonly #key: Buffer;
  readonly #now: () => number;

  constructor(adminToken: Secret, now: () => number) {
    this.#key = consoleKey(adminToken, 'oidc');
    this.#now = now;
  }

  /** A new one, and the value of its cookie. */
  begin(): { cookie: string; checks: Checks } {
    const content = `${randomBytes(32).toString('base64url')}.${this.#now() + lifetimeMs}`;
    return { cookie: `${content}.${this.#mac('attempt', content)}`, checks: this.#checks(content) };
  }

  /** The attempt of this cookie, unless it is over, or somebody else's invention. */
  read(cookie: string | undefined): Checks | undefined {
    const [id, end, mac] = cookie?.split('.') ?? [];
    if (id === undefined || end === undefined || mac === undefined) return undefined;
    const content = `${id}.${end}`;
    if (!isSame(mac, this.#mac('attempt', content)) || Number(end) <= this.#now()) return undefined;
    return this.#checks(content);
  }

  #checks(content: string): Checks {
    return {
      state: this.#mac('state', content),
      nonce: this.#mac('nonce', content),
      codeVerifier: this.#mac('pkce', content),
    };
  }

  #mac(use: string, content: string): string {
    return createHmac('sha256', this.#key).update(`${use} ${content}`).digest('base64url');
  }
}
