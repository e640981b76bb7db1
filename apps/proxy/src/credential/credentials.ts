import type { ConnectorsEvent, CredentialId, CredentialStore } from '@connectors/vault-core';
import { ReadCache, type Served } from '../read-cache.ts';
import { sendableUntil, toUsable, type UsableCredential } from './usable-credential.ts';

export interface CredentialsOptions {
  store: Pick<CredentialStore, 'find' | 'decryptAccessToken'>;
  freshMs: number;
  staleMaxMs: number;
  now: () => number;
  /** Told how long each read from Vault took, in seconds. */
  onRead: (seconds: number) => void;
}

/** The credentials in use, decrypted, in memory only. `null` stands for one that is not stored; it is not kept. */
export class Credentials {
  readonly #cache: ReadCache<UsableCredential | null>;

  constructor({ store, freshMs, staleMaxMs, now, onRead }: CredentialsOptions) {
    this.#cache = new ReadCache<UsableCredential | null>({
      read: async (key) => {
        const startedAt = performance.now();
        const id = idOf(key);
        const record = await store.find(id);
        if (record === undefined) return null;
        const usable = toUsable(record.credential, await store.decryptAccessToken(id, record.credential));
        onRead((performance.now() - startedAt) / 1_000);
        return usable;
      },
      freshUntil: (credential, readAt) =>
        credential === null ? 0 : Math.min(readAt + freshMs, sendableUntil(credential)),
      usableUntil: (credential, readAt) =>
        credential === null ? 0 : Math.min(readAt + staleMaxMs, credential.expiresAt),
      now,
    });
  }

  get size(): number {
    return this.#cache.size;
  }

  peek(id: CredentialId): Served<UsableCredential | null> | undefined {
    return this.#cache.peek(keyOf(id));
  }

  get(id: CredentialId): Promise<Served<UsableCredential | null>> {
    return this.#cache.get(keyOf(id));
  }

  /** What Vault holds, whatever is cached. */
  read(id: CredentialId): Promise<UsableCredential | null> {
    return this.#cache.read(keyOf(id));
  }

  hear(event: ConnectorsEvent): void {
    switch (event.type) {
      // The user's word: what was stored before must not serve again.
      case 'credential-stored':
      case 'credential-deleted':
        return this.#cache.drop(keyOf(event));
      // The old token may live on for a while: better than none while Vault fails.
      case 'refresh-success':
      case 'refresh-failed':
        return this.#cache.expire(keyOf(event));
      case 'refresh-retry':
      case 'refresh-declined':
      case 'agent-changed':
      case 'webhooks-changed':
        return undefined;
    }
  }

  hearGap(): void {
    this.#cache.expireAll();
  }
}

// Neither id contains a slash.
function keyOf({ tenantId, integration }: CredentialId): string {
  return `${tenantId}/${integration}`;
}

function idOf(key: string): CredentialId {
  const [tenantId = '', integration = ''] = key.split('/');
  return { tenantId, integration };
}
