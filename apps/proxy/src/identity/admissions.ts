import { hash } from 'node:crypto';
import type { KnownAgent } from './known-agents.ts';

/** What was presented once, and found to be good. */
export interface Admission {
  agent: KnownAgent;
  /** When it ends, in milliseconds since the epoch; infinite for what does not expire. */
  expiresAt: number;
  /** From when on it is looked at anew, which may be before. */
  trustedUntil: number;
  /** Whether it is a key of a stored agent, which may change or be revoked before; else a token. */
  isStored: boolean;
}

const maxEntries = 50_000;

/**
 * Who presented what, so that it need not be taken apart and verified with every request. What is presented is known by
 * its SHA-256 alone: looking that up tells nobody how near a guess came.
 */
export class Admissions {
  readonly #byDigest = new Map<string, Admission>();

  find(authorization: string): Admission | undefined {
    return this.#byDigest.get(digest(authorization));
  }

  add(authorization: string, admission: Admission): void {
    const [oldest] = this.#byDigest.keys();
    if (this.#byDigest.size >= maxEntries && oldest !== undefined) this.#byDigest.delete(oldest);
    this.#byDigest.set(digest(authorization), admission);
  }
}

function digest(text: string): string {
  return hash('sha256', text, 'hex');
}
