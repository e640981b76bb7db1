import { EventEmitter } from 'node:events';
import type { ConnectorsEvent, CredentialId, RefreshQueues } from '@connectors/vault-core';
import type { Credentials } from './credentials.ts';
import type { UsableCredential } from './usable-credential.ts';

export interface RenewalsOptions {
  queues: Pick<RefreshQueues, 'request'>;
  credentials: Pick<Credentials, 'read'>;
  /** How long a refresh is waited for. */
  waitMs: number;
  /** How long none is forced after another: an upstream that refuses every token must not cause a storm of refreshes. */
  cooldownMs: number;
  now: () => number;
  /** Told of every refresh that is asked for. */
  onRequest: (id: CredentialId) => void;
}

/** Asks the workers for refreshes, and waits for what becomes of them. Whoever waits for the same credential waits together. */
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
   * The token of `revision` is about to expire: waits, bounded, for a newer one.
   *
   * @returns what Vault holds afterwards
   * @throws ConnectorsError `queue_unavailable`, `vault_unavailable`
   */
  await(id: CredentialId, revision: string): Promise<UsableCredential | null> {
    return this.#share(id, revision, false);
  }

  /** The same for a token that the upstream refused, at most once in `cooldownMs` per credential. */
  force(id: CredentialId, revision: string): Promise<UsableCredential | null> {
    return this.#share(id, revision, true);
  }

  hear(event: ConnectorsEvent): void {
    switch (event.type) {
      case 'refresh-success':
      case 'refresh-failed':
      case 'refresh-declined':
      case 'credential-stored':
      case 'credential-deleted':
        this.#words.emit(keyOf(event));
        return;
      case 'refresh-retry':
      case 'agent-changed':
      case 'webhooks-changed':
        return;
    }
  }

  #share(id: CredentialId, revision: string, isForced: boolean): Promise<UsableCredential | null> {
    const key = `${keyOf(id)}/${revision}`;
    const flight =
      this.#flights.get(key) ?? this.#renew(id, revision, isForced).finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }

  async #renew(id: CredentialId, revision: string, isForced: boolean): Promise<UsableCredential | null> {
    const { credentials, queues, onRequest, now } = this.#options;
    // Listening comes first: a refresh that ends while we look must not be missed.
    using word = this.#listen(id);
    const stored = await credentials.read(id);
    if (stored?.revision !== revision || !stored.isRefreshable) return stored;
    if (isForced && !this.#mayForce(id)) return stored;
    await queues.request({ ...id, revision });
    if (isForced) this.#forcedAt.set(keyOf(id), now());
    onRequest(id);
    await word.heard;
    return credentials.read(id);
  }

  /** Resolves with the next word on a credential, or when the time is up. */
  #listen(id: CredentialId): { heard: Promise<void> } & Disposable {
    const { promise: heard, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#options.waitMs);
    this.#words.once(keyOf(id), resolve);
    return {
      heard,
      [Symbol.dispose]: () => {
        clearTimeout(timer);
        this.#words.off(keyOf(id), resolve);
      },
    };
  }

  #mayForce(id: CredentialId): boolean {
    const horizon = this.#options.now() - this.#options.cooldownMs;
    for (const [key, at] of this.#forcedAt) if (at <= horizon) this.#forcedAt.delete(key);
    return !this.#forcedAt.has(keyOf(id));
  }
}

function keyOf({ tenantId, integration }: CredentialId): string {
  return `${tenantId}/${integration}`;
}
