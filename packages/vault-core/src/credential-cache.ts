import { credentialKey, type CredentialId } from './credential.ts';
import type { CredentialStore } from './credential-store.ts';
import type { ConnectorsEvent } from './events.ts';
import { ReadCache, type Served } from './read-cache.ts';
import { sendableUntil, toUsable, type UsableCredential } from './usable-credential.ts';

export interface CredentialCacheOptions {
  store: Pick<CredentialStore, 'find' | 'decryptAccessToken'>;
  freshMs: number;
  staleMaxMs: number;
  now: () => number;
  /** Told how long each read from Vault took, in seconds. */
  onRead: (seconds: number) => void;
  /** Asked before each read; throws a RateLimitError if there were too many. */
  admitRead?: (id: CredentialId) => void;
}

/** The credentials in use, decrypted, in memory only. `null` stands for one that is not stored; it is not kept. */
export class CredentialCache {
  readonly #cache: ReadCache<UsableCredential | null>;

  constructor({ store, freshMs, staleMaxMs, now, onRead, admitRead }: CredentialCacheOptions) {
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
      admit: admitRead && ((key) => admitRead(idOf(key))),
    });
  }

  get size(): number {
    return this.#cache.size;
  }

  peek(id: CredentialId): Served<UsableCredential | null> | undefined {
    return this.#cache.peek(credentialKey(id));
  }

  get(id: CredentialId): Promise<Served<UsableCredential | null>> {
    return this.#cache.get(credentialKey(id));
  }

  /** What Vault holds, whatever is cached. */
  read(id: CredentialId): Promise<UsableCredential | null> {
    return this.#cache.read(credentialKey(id));
  }

  hear(event: ConnectorsEvent): void {
    switch (event.type) {
      // The user's word: what was stored before must not serve again.
      case 'credential-stored':
      case 'credential-deleted':
        return this.#cache.drop(credentialKey(event));
      // The old token may live on for a while: better than none while Vault fails.
      case 'refresh-success':
      case 'refresh-failed':
        return this.#cache.expire(credentialKey(event));
      case 'refresh-retry':
      case 'refresh-declined':
      case 'agent-changed':
      case 'webhooks-changed':
      case 'connected':
      case 'connect-failed':
        return undefined;
    }
  }

  hearGap(): void {
    this.#cache.expireAll();
  }
}

function idOf(key: string): CredentialId {
  const [tenantId = '', integration = ''] = key.split('/');
  return { tenantId, integration };
}
