import type { ConnectorsEvent, CredentialId, RefreshQueues } from '@connectors/vault-core';
import type { Credentials } from './credentials.ts';
import type { UsableCredential } from './usable-credential.ts';

export interface RenewalsOptions {
  queues: Pick<RefreshQueues, 'request'>;
  credentials: Pick<Credentials, 'read'>;
  /** How long a refresh is waited for. */
  waitMs: number;
  now: () => number;
  /** Told of every refresh that is asked for. */
  onRequest: (id: CredentialId) => void;
}

/** An upstream that refuses every token must not cause a storm of refreshes. */
const cooldownMs = 60_000;

/** Asks the workers for refreshes, and waits for what becomes of them. Whoever waits for the same credential waits together. */
export class Renewals {
  readonly #options: RenewalsOptions;
  readonly #flights = new Map<string, Promise<UsableCredential | null>>();
  readonly #wakers = new Map<string, () => void>();
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
    return this.#share(id, () => this.#renew(id, revision, () => true));
  }

  /** The same for a token that the upstream refused, at most once a minute per credential. */
  force(id: CredentialId, revision: string): Promise<UsableCredential | null> {
    return this.#share(id, () => this.#renew(id, revision, () => this.#mayForce(id)));
  }

  hear(event: ConnectorsEvent): void {
    switch (event.type) {
      case 'refresh-success':
      case 'refresh-failed':
      case 'refresh-declined':
      case 'credential-stored':
      case 'credential-deleted':
        return this.#wakers.get(keyOf(event))?.();
      case 'refresh-retry':
      case 'refresh-scheduled':
      case 'agent-changed':
        return undefined;
    }
  }

  #share(id: CredentialId, renew: () => Promise<UsableCredential | null>): Promise<UsableCredential | null> {
    const key = keyOf(id);
    const flight = this.#flights.get(key) ?? renew().finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }

  async #renew(id: CredentialId, revision: string, mayAsk: () => boolean): Promise<UsableCredential | null> {
    const { credentials, queues, onRequest } = this.#options;
    // Listening comes first: a refresh that ends while we look must not be missed.
    using word = this.#listen(id);
    const stored = await credentials.read(id);
    if (stored?.revision !== revision || !stored.isRefreshable || !mayAsk()) return stored;
    await queues.request({ ...id, revision });
    this.#forcedAt.set(keyOf(id), this.#options.now());
    onRequest(id);
    await word.heard;
    return credentials.read(id);
  }

  /** Resolves with the next word on a credential, or when the time is up. */
  #listen(id: CredentialId): { heard: Promise<void> } & Disposable {
    const { promise: heard, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#options.waitMs);
    this.#wakers.set(keyOf(id), resolve);
    return {
      heard,
      [Symbol.dispose]: () => {
        clearTimeout(timer);
        this.#wakers.delete(keyOf(id));
      },
    };
  }

  #mayForce(id: CredentialId): boolean {
    const horizon = this.#options.now() - cooldownMs;
    for (const [key, at] of this.#forcedAt) if (at <= horizon) this.#forcedAt.delete(key);
    return !this.#forcedAt.has(keyOf(id));
  }
}

function keyOf({ tenantId, integration }: CredentialId): string {
  return `${tenantId}/${integration}`;
}
