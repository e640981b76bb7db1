import { CredentialNotFoundError } from './errors.ts';
import { checkId, isId } from './ids.ts';
import type { Secret } from './secret.ts';
import {
  storedCredentialSchema,
  type CredentialId,
  type SealedField,
  type StoredCredential,
} from './credential.ts';
import { readStored } from './stored-document.ts';
import type { KvEngine } from './vault/kv.ts';
import type { TransitEngine } from './vault/transit.ts';
import { VaultError } from './vault/vault-error.ts';

/** A document as it was read; `version` is what the next write presents as `cas`. */
export interface CredentialRecord {
  credential: StoredCredential;
  version: number;
  /** When it was written, in milliseconds on Vault's clock. */
  writtenAt: number;
}

export interface StorageEngines {
  kv: KvEngine;
  /** Encrypts access tokens: the proxy may decrypt here. */
  access: TransitEngine;
  /** Encrypts refresh tokens and the secrets of grants: only the worker may decrypt here. */
  refresh: TransitEngine;
}

/**
 * Credentials in Vault: one KV document each, its tokens encrypted under the tenant's two Transit keys.
 * Methods check the ids they are given before anything is sent, and throw `invalid_request` or VaultError.
 */
export class CredentialStore {
  readonly #engines: StorageEngines;

  constructor(engines: StorageEngines) {
    this.#engines = engines;
  }

  /**
   * One call. `undefined` if the tenant never connected the integration, or disconnected it.
   *
   * @throws StoredDocumentError
   */
  async find(id: CredentialId): Promise<CredentialRecord | undefined> {
    const path = pathOf(id);
    const document = await this.#engines.kv.read(path);
    if (document === undefined || !isAlive(document.data)) return undefined;
    return {
      credential: readStored(storedCredentialSchema, path, document.data),
      version: document.version,
      writtenAt: document.writtenAt,
    };
  }

  /** Whether there is a credential, also one that {@link find} cannot read. */
  async has(id: CredentialId): Promise<boolean> {
    const document = await this.#engines.kv.read(pathOf(id));
    return isAlive(document?.data);
  }

  /** @throws CredentialNotFoundError */
  async get(id: CredentialId): Promise<CredentialRecord> {
    const record = await this.find(id);
    if (record === undefined) throw new CredentialNotFoundError(id.tenantId, id.integration);
    return record;
  }

  /**
   * Writes a changed document over the version that was read.
   *
   * @returns the new version
   * @throws VaultError `cas_mismatch`: read again and decide again. An earlier try of this write may have landed.
   */
  async write(id: CredentialId, credential: StoredCredential, cas: number): Promise<number> {
    return this.#engines.kv.write(pathOf(id), credential, cas);
  }

  /** Writes what a user just granted over whatever is there: a reconnect wins over every other writer. */
  async replace(id: CredentialId, credential: StoredCredential): Promise<void> {
    const { revision } = credential.metadata;
    await this.#overwrite(id, credential, (stored) => revisionOf(stored) === revision);
  }

  /**
   * Deletes a credential, and destroys all its versions.
   *
   * @returns what was there, for who wants to end its tokens at the provider; `credential` is absent if nobody can read it
   */
  async delete(id: CredentialId): Promise<{ credential?: StoredCredential } | undefined> {
    const path = pathOf(id);
    const document = await this.#engines.kv.read(path);
    if (document === undefined) return undefined;
    // The tombstone takes the version a refresh in flight has read, so that its write fails and deletion wins.
    const { version, over } = isAlive(document.data)
      ? await this.#overwrite(id, { deleted: true }, isTombstone)
      : { version: document.version, over: document.data };
    // Also where a deletion was interrupted; but not what a user stores from now on.
    await this.#engines.kv.destroyVersions(path, version);
    if (!isAlive(document.data)) return undefined;
    const credential = storedCredentialSchema.safeParse(over).data;
    return credential === undefined ? {} : { credential };
  }

  /**
   * @param isDone whether a stored document is this one, put there by an earlier try whose answer was lost: what others
   *   have built on it since is right
   * @returns the version that holds it, and what that version replaced as far as it is known
   */
  async #overwrite(
    id: CredentialId,
    document: object,
    isDone: (stored: unknown) => boolean,
  ): Promise<{ version: number; over: unknown }> {
    let over: unknown;
    for (;;) {
      const stored = await this.#engines.kv.read(pathOf(id));
      if (stored !== undefined && isDone(stored.data)) return { version: stored.version, over };
      over = stored?.data;
      try {
        return { version: await this.#engines.kv.write(pathOf(id), document, stored?.version ?? 0), over };
      } catch (error) {
        if (!(error instanceof VaultError && error.reason === 'cas_mismatch')) throw error;
      }
    }
  }

  /**
   * Makes sure that the tenant has its two keys. Vault would make them with the first encryption, but only for a token
   * that could then make keys by mistyped names as well.
   */
  async ensureKeys(tenantId: string): Promise<void> {
    const key = checkId('tenantId', tenantId);
    await Promise.all([this.#engines.access.ensureKey(key), this.#engines.refresh.ensureKey(key)]);
  }

  /** Deletes a credential's document with its history. A write that presents a version which was read before fails. */
  forget(id: CredentialId): Promise<void> {
    return this.#engines.kv.forget(pathOf(id));
  }

  /** Deletes the tenant's two keys: whatever was encrypted for it, anywhere, can never be read again. */
  async deleteKeys(tenantId: string): Promise<void> {
    const key = checkId('tenantId', tenantId);
    const deleting = [this.#engines.access.deleteKey(key), this.#engines.refresh.deleteKey(key)];
    // Whoever is told that one has failed may make keys anew: nothing is deleted behind that.
    await Promise.allSettled(deleting);
    await Promise.all(deleting);
  }

  /** Encrypts a token for one field of one document, under the key of a tenant that has one. */
  async encrypt(id: CredentialId, field: SealedField, token: Secret): Promise<string> {
    return this.#engineOf(field).encrypt(id.tenantId, token, contextOf(id, field));
  }

  async decryptAccessToken(id: CredentialId, credential: StoredCredential): Promise<Secret> {
    return this.#decrypt(id, 'accessToken', credential.accessToken);
  }

  async decryptRefreshToken(id: CredentialId, credential: StoredCredential): Promise<Secret | undefined> {
    if (credential.refreshToken === undefined) return undefined;
    return this.#decrypt(id, 'refreshToken', credential.refreshToken);
  }

  async decryptGrantSecret(id: CredentialId, credential: StoredCredential): Promise<Secret | undefined> {
    if (credential.grantSecret === undefined) return undefined;
    return this.#decrypt(id, 'grantSecret', credential.grantSecret);
  }

  /** All tenants that ever stored a credential. */
  async listTenants(): Promise<string[]> {
    return tenantsIn(await this.#engines.kv.list(''));
  }

  /**
   * Some of the {@link listTenants}: at most `limit`, from the first after `after` on.
   *
   * @param prefix only those that begin with it
   * @returns `next`, if there may be more, is what `after` is then
   */
  async listTenantPage(
    limit: number,
    after?: string,
    prefix = '',
  ): Promise<{ tenants: string[]; next?: string }> {
    const tenants: string[] = [];
    let last = after === undefined ? '' : `${checkId('tenantId', after)}/`;
    if (last < prefix) last = prefix;
    // Names that are not ours make a page shorter.
    while (tenants.length <= limit) {
      const names = await this.#engines.kv.listPage('', last, limit + 1);
      const wanted = names.filter((name) => name.startsWith(prefix));
      tenants.push(...tenantsIn(wanted));
      // Behind them come others, or nothing.
      if (wanted.length <= limit) break;
      last = names.at(-1) ?? last;
    }
    const page = tenants.slice(0, limit);
    const next = page.at(-1);
    return { tenants: page, ...(tenants.length > limit && next !== undefined ? { next } : {}) };
  }

  /** The integrations a tenant has, or once had, a credential for: read each to know. */
  async listIntegrations(tenantId: string): Promise<string[]> {
    const names = await this.#engines.kv.list(checkId('tenantId', tenantId));
    return names.filter(isId);
  }

  #decrypt(id: CredentialId, field: SealedField, ciphertext: string): Promise<Secret> {
    return this.#engineOf(field).decrypt(id.tenantId, ciphertext, contextOf(id, field));
  }

  #engineOf(field: SealedField): TransitEngine {
    return field === 'accessToken' ? this.#engines.access : this.#engines.refresh;
  }
}

/** The mount may be shared: entries that are not folders, or whose names are not ids, are not ours. Nor is `_agents`. */
function tenantsIn(names: string[]): string[] {
  return names
    .filter((name) => name.endsWith('/') && isId(name.slice(0, -1)))
    .map((name) => name.slice(0, -1));
}

function pathOf({ tenantId, integration }: CredentialId): string {
  return `${checkId('tenantId', tenantId)}/${checkId('integration', integration)}`;
}

function contextOf(id: CredentialId, field: SealedField): string {
  return `${pathOf(id)}/${field}`;
}

function isAlive(data: unknown): boolean {
  return data !== undefined && !isTombstone(data);
}

function isTombstone(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'deleted' in data;
}

function revisionOf(data: unknown): unknown {
  return (data as { metadata?: { revision?: unknown } } | undefined)?.metadata?.revision;
}
