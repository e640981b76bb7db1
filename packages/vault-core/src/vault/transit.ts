import { Secret } from '../secret.ts';
import type { VaultConnection } from './connection.ts';

/** A key for use outside Vault, and how to get it back from Vault. */
export interface DataKey {
  plaintext: Buffer;
  /** `vault:v1:…` */
  wrapped: string;
}

/** A Transit engine on one mount: Vault encrypts and decrypts, the keys never leave it. */
export class TransitEngine {
  readonly #vault: VaultConnection;
  readonly #mount: string;

  constructor(vault: VaultConnection, mount: string) {
    this.#vault = vault;
    this.#mount = mount;
  }

  /**
   * Encrypts under a key that exists. `context` is bound to the ciphertext (as associated data): decryption needs
   * the same one, so a ciphertext cannot be moved to another document or field.
   *
   * @returns `vault:v1:…`
   * @throws VaultError `key_not_found`
   */
  async encrypt(key: string, plaintext: Secret, context: string): Promise<string> {
    const item = { plaintext: toBase64(plaintext.reveal()), associated_data: toBase64(context) };
    const [result] = await this.#batch<{ ciphertext: string }>(`encrypt/${key}`, [item]);
    return result.ciphertext;
  }

  /** @throws VaultError `rejected` when ciphertext, key and context do not belong together */
  async decrypt(key: string, ciphertext: string, context: string): Promise<Secret> {
    const item = { ciphertext, associated_data: toBase64(context) };
    const [result] = await this.#batch<{ plaintext: string }>(`decrypt/${key}`, [item]);
    return new Secret(Buffer.from(result.plaintext, 'base64').toString('utf8'));
  }

  /** Creates a key; one that exists stays as it is. */
  async ensureKey(key: string): Promise<void> {
    await this.#vault.write(`${this.#mount}/keys/${key}`, { type: 'aes256-gcm96' });
  }

  /** Deletes a key: what it encrypted can never be read again. May be repeated. */
  async deleteKey(key: string): Promise<void> {
    const path = `${this.#mount}/keys/${key}`;
    if ((await this.#vault.read(path)) === undefined) return;
    try {
      await this.#vault.write(`${path}/config`, { deletion_allowed: true });
      await this.#vault.delete(path);
    } catch (error) {
      // Vault refuses both for a key that somebody else has deleted by now.
      if ((await this.#vault.read(path)) !== undefined) throw error;
    }
  }

  /** A new AES-256 key, and itself encrypted under the named key: only who may decrypt with that can open it again. */
  async createDataKey(key: string): Promise<DataKey> {
    const { data } = await this.#vault.write<{ data: { plaintext: string; ciphertext: string } }>(
      `${this.#mount}/datakey/plaintext/${key}`,
      { bits: 256 },
    );
    return { plaintext: Buffer.from(data.plaintext, 'base64'), wrapped: data.ciphertext };
  }

  async openDataKey(key: string, wrapped: string): Promise<Buffer> {
    const [result] = await this.#batch<{ plaintext: string }>(`decrypt/${key}`, [{ ciphertext: wrapped }]);
    return Buffer.from(result.plaintext, 'base64');
  }

  async #batch<T>(path: string, items: [object]): Promise<[T]> {
    const answer = await this.#vault.write<{ data: { batch_results: [T] } }>(`${this.#mount}/${path}`, {
      batch_input: items,
    });
    return answer.data.batch_results;
  }
}

function toBase64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
