import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

interface Keys {
  /** Seals names and values. */
  content: Buffer;
  /** Turns paths into row ids, so that the file does not show which tenants and integrations exist. */
  paths: Buffer;
}

const schema = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS entries (
    id BLOB PRIMARY KEY,
    folder BLOB NOT NULL,
    name BLOB NOT NULL,
    value BLOB,
    expires_at INTEGER
  );
  CREATE INDEX IF NOT EXISTS by_folder ON entries (folder);
  CREATE INDEX IF NOT EXISTS by_expiry ON entries (expires_at) WHERE expires_at IS NOT NULL;
`;

const sealPath = 'core/seal';

/**
 * Sealed storage: a tree of JSON values in SQLite. Every name and value is encrypted with AES-256-GCM, bound to its row,
 * and every row id is an HMAC of its path. A write that returned is on disk (WAL with `synchronous = FULL`).
 */
export class Barrier {
  readonly #db: DatabaseSync;
  readonly #sql: Record<
    'get' | 'update' | 'insert' | 'remove' | 'list' | 'occupied' | 'expire',
    StatementSync
  >;
  #keys: Keys | undefined;
  #depth = 0;
  /** The names of the folder that was listed last: whoever goes through it page by page has it opened once. */
  #listed: { folder: string; names: string[] } | undefined;

  /** @throws {Error} when another process holds the file */
  constructor(file: string) {
    if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600));
    this.#db = new DatabaseSync(file);
    try {
      this.#db.exec(schema);
    } catch (error) {
      this.#db.close();
      throw error;
    }
    this.#sql = {
      get: this.#db.prepare('SELECT value FROM entries WHERE id = ?'),
      update: this.#db.prepare('UPDATE entries SET value = ?, expires_at = ? WHERE id = ?'),
      insert: this.#db.prepare(
        'INSERT INTO entries (id, folder, name, value, expires_at) VALUES (?, ?, ?, ?, ?)',
      ),
      remove: this.#db.prepare('DELETE FROM entries WHERE id = ?'),
      list: this.#db.prepare('SELECT id, name FROM entries WHERE folder = ?'),
      occupied: this.#db.prepare('SELECT 1 FROM entries WHERE folder = ? LIMIT 1'),
      expire: this.#db.prepare('DELETE FROM entries WHERE expires_at <= ?'),
    };
  }

  get initialized(): boolean {
    return this.#db.prepare('SELECT 1 FROM entries LIMIT 1').get() !== undefined;
  }

  get sealed(): boolean {
    return this.#keys === undefined;
  }

  /** Makes `key` the key of this empty storage and unseals it. */
  initialize(key: Uint8Array): void {
    this.#keys = deriveKeys(key);
    this.put(sealPath, true);
  }

  /** Returns whether `key` opened the storage. */
  unseal(key: Uint8Array): boolean {
    this.#keys = deriveKeys(key);
    if (this.get(sealPath) === true) return true;
    this.#keys = undefined;
    return false;
  }

  seal(): void {
    this.#listed = undefined;
    this.#keys?.content.fill(0);
    this.#keys?.paths.fill(0);
    this.#keys = undefined;
  }

  close(): void {
    this.seal();
    this.#db.close();
  }

  get(path: string): unknown {
    const id = this.#id(path);
    const row = this.#sql.get.get(id) as { value: Uint8Array | null } | undefined;
    if (!row?.value) return undefined;
    return JSON.parse(this.#open('value', id, row.value).toString()) as unknown;
  }

  /** @param expiresAt when `deleteExpired` may remove the entry, in milliseconds since the epoch */
  put(path: string, value: unknown, expiresAt: number | null = null): void {
    const id = this.#id(path);
    const sealed = this.#seal('value', id, JSON.stringify(value));
    this.transaction(() => {
      if (this.#sql.update.run(sealed, expiresAt, id).changes === 0) this.#insert(path, sealed, expiresAt);
    });
  }

  /** Removes an entry and the folders it leaves empty. */
  delete(path: string): void {
    this.#listed = undefined;
    this.transaction(() => {
      this.#sql.remove.run(this.#id(path));
      for (let folder = folderOf(path); folder !== ''; folder = folderOf(folder)) {
        const id = this.#id(folder);
        if (this.#sql.occupied.get(id)) return;
        this.#sql.remove.run(id);
      }
    });
  }

  /** The names in a folder (which ends in `/`), sorted by code unit; a folder's name ends in `/`. */
  list(folder: string): string[] {
    if (this.#listed?.folder !== folder) {
      const rows = this.#sql.list.all(this.#id(folder)) as { id: Uint8Array; name: Uint8Array }[];
      const names = rows.map((row) => this.#open('name', row.id, row.name).toString()).sort();
      this.#listed = { folder, names };
    }
    return [...this.#listed.names];
  }

  deleteFolder(folder: string): void {
    this.transaction(() => {
      for (const name of this.list(folder)) {
        if (name.endsWith('/')) this.deleteFolder(folder + name);
        else this.delete(folder + name);
      }
    });
  }

  deleteExpired(now: number): void {
    this.#listed = undefined;
    this.#sql.expire.run(now);
  }

  /** Runs `work` as one transaction; within another one it joins it. */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.#db.exec('BEGIN IMMEDIATE');
    this.#depth += 1;
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      this.#db.exec('ROLLBACK');
      this.#listed = undefined;
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  /** A folder is a row without a value under the path that ends in `/`. */
  #insert(path: string, sealed: Buffer | null, expiresAt: number | null): void {
    this.#listed = undefined;
    const id = this.#id(path);
    const folder = folderOf(path);
    this.#sql.insert.run(
      id,
      this.#id(folder),
      this.#seal('name', id, path.slice(folder.length)),
      sealed,
      expiresAt,
    );
    if (folder !== '' && !this.#sql.get.get(this.#id(folder))) this.#insert(folder, null, null);
  }

  #id(path: string): Buffer {
    return createHmac('sha256', this.#unsealed().paths).update(path).digest();
  }

  #seal(column: string, id: Uint8Array, text: string): Buffer {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#unsealed().content, nonce);
    cipher.setAAD(Buffer.concat([Buffer.from(column), id]));
    return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  }

  #open(column: string, id: Uint8Array, sealed: Uint8Array): Buffer {
    const decipher = createDecipheriv('aes-256-gcm', this.#unsealed().content, sealed.subarray(0, 12));
    decipher.setAAD(Buffer.concat([Buffer.from(column), id]));
    decipher.setAuthTag(sealed.subarray(-16));
    return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
  }

  #unsealed(): Keys {
    if (!this.#keys) throw new Error('the storage is sealed');
    return this.#keys;
  }
}

function deriveKeys(key: Uint8Array): Keys {
  const derive = (info: string) => Buffer.from(hkdfSync('sha256', key, '', info, 32));
  return { content: derive('content'), paths: derive('paths') };
}

/** `a/b/c` and `a/b/c/` both lie in `a/b/`. */
function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/', path.length - 2) + 1);
}
