import { CredentialNotFoundError } from './errors.ts';
import { checkId } from './ids.ts';
import type { Secret } from './secret.ts';
import { storedCredentialSchema, type CredentialId, type StoredCredential } from './credential.ts';
import type { KvEngine } from './vault/kv.ts';
import type { TransitEngine } from './vault/transit.ts';
import { VaultError } from './vault/vault-error.ts';

/** A document as it was read; `version` is what the next write presents as `cas`. */
export interface CredentialRecord {
  credential: StoredCredential;
  version: number;
}

export interface StorageEngines {
  kv: KvEngine;
  /** Encrypts access tokens: the proxy may decrypt here. */
  access: TransitEngine;
  /** Encrypts refresh tokens: only the worker may decrypt here. */
  refresh: TransitEngine;
}

type TokenField = 'accessToken' | 'refreshToken';

/**
 * Credentials in Vault: one KV document each, its tokens encrypted under the tenant's two Transit keys.
 * Methods check the ids they are given and throw `invalid_request` or VaultError.
 */
export class CredentialStore {
  readonly #engines: StorageEngines;

  constructor(engines: StorageEngines) {
    this.#engines = engines;
  }

  /** One call. `undefined` if the tenant never connected the integration, or disconnected it. */
  async find(id: CredentialId): Promise<CredentialRecord | undefined> {
    const document = await this.#engines.kv.read(pathOf(id));
    if (document?.data === undefined || isTombstone(document.data)) return undefined;
    return { credential: storedCredentialSchema.parse(document.data), version: document.version };
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
  write(id: CredentialId, credential: StoredCredential, cas: number): Promise<number> {
    return this.#engines.kv.write(pathOf(id), credential, cas);
  }

  /** Writes what a user just granted over whatever is there: a reconnect wins over every other writer. */
  async replace(id: CredentialId, credential: StoredCredential): Promise<void> {
    await this.#overwrite(id, credential);
  }

  /** Deletes a credential, and destroys all its versions. Says whether there was one. */
  async delete(id: CredentialId): Promise<boolean> {
    if ((await this.find(id)) === undefined) return false;
    // The tombstone takes the version a refresh in flight has read, so that its write fails and deletion wins.
    await this.#overwrite(id, { deleted: true });
    await this.#engines.kv.destroyAllVersions(pathOf(id));
    return true;
  }

  async #overwrite(id: CredentialId, document: object): Promise<void> {
    for (;;) {
      const version = (await this.#engines.kv.read(pathOf(id)))?.version ?? 0;
      try {
        await this.#engines.kv.write(pathOf(id), document, version);
        return;
      } catch (error) {
        if (!(error instanceof VaultError && error.reason === 'cas_mismatch')) throw error;
      }
    }
  }

  /** Encrypts a token for one field of one document, creating the tenant's keys the first time. */
  async encrypt(id: CredentialId, field: TokenField, token: Secret): Promise<string> {
    const engine = this.#engineOf(field);
    const tenant = checkId('tenantId', id.tenantId);
    try {
      return await engine.encrypt(tenant, token, contextOf(id, field));
    } catch (error) {
      if (!(error instanceof VaultError && error.reason === 'key_not_found')) throw error;
      await engine.ensureKey(tenant);
      return engine.encrypt(tenant, token, contextOf(id, field));
    }
  }

  decryptAccessToken(id: CredentialId, credential: StoredCredential): Promise<Secret> {
    return this.#decrypt(id, 'accessToken', credential.accessToken);
  }

  async decryptRefreshToken(id: CredentialId, credential: StoredCredential): Promise<Secret | undefined> {
    if (credential.refreshToken === undefined) return undefined;
    return this.#decrypt(id, 'refreshToken', credential.refreshToken);
  }

  /** All tenants that ever stored a credential. */
  listTenants(): Promise<string[]> {
    return this.#listIds('');
  }

  /** The integrations a tenant has, or once had, a credential for: read each to know. */
  listIntegrations(tenantId: string): Promise<string[]> {
    return this.#listIds(checkId('tenantId', tenantId));
  }

  // Names that start with `_` are the system's own.
  async #listIds(path: string): Promise<string[]> {
    const names = await this.#engines.kv.list(path);
    return names.map((name) => name.replace(/\/$/, '')).filter((name) => !name.startsWith('_'));
  }

  #decrypt(id: CredentialId, field: TokenField, ciphertext: string): Promise<Secret> {
    return this.#engineOf(field).decrypt(checkId('tenantId', id.tenantId), ciphertext, contextOf(id, field));
  }

  #engineOf(field: TokenField): TransitEngine {
    return field === 'accessToken' ? this.#engines.access : this.#engines.refresh;
  }
}

function pathOf({ tenantId, integration }: CredentialId): string {
  return `${checkId('tenantId', tenantId)}/${checkId('integration', integration)}`;
}

function contextOf({ tenantId, integration }: CredentialId, field: TokenField): string {
  return `${tenantId}/${integration}/${field}`;
}

function isTombstone(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'deleted' in data;
}
