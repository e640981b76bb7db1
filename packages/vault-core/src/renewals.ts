import { EventEmitter } from 'node:events';
import { credentialKey, type CredentialId } from './credential.ts';
import type { CredentialCache } from './credential-cache.ts';
import type { ConnectorsEvent } from './events.ts';
import type { RefreshJobData } from './refresh-queue.ts';
import { afterExpiry, afterRejection, type UsableCredential } from './usable-credential.ts';

export interface RenewalsOptions {
  credentials: Pick<CredentialCache, 'read'>;
  /** Asks for a refresh of this state of a credential. */
  request: (data: RefreshJobData) => Promise<void>;
  /** How long a refresh is waited for. */
  waitMs: number;
  /** How long none is forced after another: an upstream that refuses every token must not cause a storm of refreshes. */
  cooldownMs: number;
  now: () => number;
  /** Told of every refresh that is asked for. */
  onRequest: (id: CredentialId) => void;
}

/** Requests refreshes and waits for their outcome. All who wait for the same credential share one wait. */
export class Renewals {
  readonly #options: RenewalsOptions;
  readonly #flights = new Map<string, Promise<UsableCredential | null>>();
  /** A word on a credential, by its key. */
  readonly #words = new EventEmitter<Record<string, []>>().setMaxListeners(0);
  readonly #forcedAt = new Map<string, number>();

  constructor(options: RenewalsOptions) {
    this.#options = options;
  }

  /**
   * Waits, bounded, for what comes after a token that is about to expire.
   *
   * @returns what to send: while it lives, the old one if no other came or nobody can be asked
   * @throws ConnectorsError `token_expired`, `credential_not_found`, `queue_unavailable`, `vault_unavailable`
   */
  async replaceExpiring(id: CredentialId, spent: UsableCredential): Promise<UsableCredential> {
    const stored = spent.isRefreshable ? await this.#renewExpiring(id, spent) : spent;
    return afterExpiry(id, stored, this.#options.now());
  }

  async #renewExpiring(id: CredentialId, spent: UsableCredential): Promise<UsableCredential | null> {
    try {
      return await this.#share(id, spent.revision, false);
    } catch (error) {
      if (this.#options.now() < spent.expiresAt) return spent;
      throw error;
    }
  }

  /**
   * Another credential than the one that an upstream refused: a newer one that is stored already, or the one that a refresh
   * brings. At most one is forced in `cooldownMs` per credential.
   *
   * @throws ConnectorsError `upstream_rejected_credential`, `token_expired`, `credential_not_found`, `queue_unavailable`,
   *   `vault_unavailable`
   */
  async replaceRejected(id: CredentialId, rejected: UsableCredential): Promise<UsableCredential> {
    const stored = await this.#share(id, rejected.revision, true);
    return afterRejection(id, stored, rejected.revision, this.#options.now());
  }

  hear(event: ConnectorsEvent): void {
    switch (event.type) {
      case 'refresh-success':
      case 'refresh-failed':
      case 'refresh-declined':
      case 'credential-stored':
      case 'credential-deleted':
        this.#words.emit(credentialKey(event));
        return;
      case 'refresh-retry':
      case 'agent-changed':
      case 'webhooks-changed':
      case 'connected':
      case 'connect-failed':
        return;
    }
  }

  #share(id: CredentialId, revision: string, isForced: boolean): Promise<UsableCredential | null> {
    const key = `${credentialKey(id)}/${revision}`;
    const flight =
      this.#flights.get(key) ?? this.#renew(id, revision, isForced).finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }

  async #renew(id: CredentialId, revision: string, isForced: boolean): Promise<UsableCredential | null> {
    const { credentials, request, onRequest, now } = this.#options;
    // Listening comes first: a refresh that ends while we look must not be missed.
    using word = this.#listen(id);
    const stored = await credentials.read(id);
    if (stored?.revision !== revision || !stored.isRefreshable) return stored;
    if (isForced && !this.#mayForce(id)) return stored;
    await request({ ...id, revision });
    if (isForced) this.#forcedAt.set(credentialKey(id), now());
    onRequest(id);
    await word.heard;
    return credentials.read(id);
  }

  /** Resolves with the next word on a credential, or when the time is up. */
  #listen(id: CredentialId): { heard: Promise<void> } & Disposable {
    const { promise: heard, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#options.waitMs);
    this.#words.once(credentialKey(id), resolve);
    return {
      heard,
      [Symbol.dispose]: () => {
        clearTimeout(timer);
        this.#words.off(credentialKey(id), resolve);
      },
    };
  }

  #mayForce(id: CredentialId): boolean {
    const horizon = this.#options.now() - this.#options.cooldownMs;
    for (const [key, at] of this.#forcedAt) if (at <= horizon) this.#forcedAt.delete(key);
    return !this.#forcedAt.has(credentialKey(id));
  }
}
