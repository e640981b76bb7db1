import type { VaultConnection } from './connection.ts';

/** One version of a KV v2 document. `data` is absent when this version was deleted or destroyed. */
export interface KvDocument {
  data: unknown;
  /** The number that the next write must present as `cas`. */
  version: number;
  /** When it was written, in milliseconds on Vault's clock. */
  writtenAt: number;
}

interface KvAnswer {
  data: { data: unknown; metadata: { version: number; created_time: string } };
}

/** A KV v2 engine on one mount. Paths are checked by the caller: they become part of a URL as they are. */
export class KvEngine {
  readonly #vault: VaultConnection;
  readonly #mount: string;

  constructor(vault: VaultConnection, mount: string) {
    this.#vault = vault;
    this.#mount = mount;
  }

  /** The newest version of a document; `undefined` if there never was one. */
  async read(path: string): Promise<KvDocument | undefined> {
    const answer = await this.#vault.read<KvAnswer>(`${this.#mount}/data/${path}`);
    if (answer === undefined) return undefined;
    const { data, metadata } = answer.data;
    return {
      data: data ?? undefined,
      version: metadata.version,
      writtenAt: Date.parse(metadata.created_time),
    };
  }

  /**
   * Writes the next version, if `cas` is still the current one (0: nothing was ever written).
   *
   * @returns the new version
   * @throws VaultError `cas_mismatch` also when an earlier try of this very write went through and its answer was lost
   */
  async write(path: string, data: object, cas: number): Promise<number> {
    const body = { options: { cas }, data };
    const answer = await this.#vault.write<{ data: { version: number } }>(
      `${this.#mount}/data/${path}`,
      body,
    );
    return answer.data.version;
  }

  /** The names directly below a path; folders end in `/`. */
  list(path: string): Promise<string[]> {
    return this.#vault.list(`${this.#mount}/metadata/${path}`);
  }

  /** At most `limit` of the names directly below a path, in their order, from the first after `after` on. */
  async listPage(path: string, after: string, limit: number): Promise<string[]> {
    const names = await this.#vault.listPage(`${this.#mount}/metadata/${path}`, after, limit);
    // A Vault that knows no pages has answered with all of them.
    return names
      .filter((name) => name > after)
      .sort()
      .slice(0, limit);
  }

  /**
   * Makes every version up to `newest` (absent: all) unreadable, for good. The version count goes on: an old `cas`
   * never fits again.
   */
  async destroyVersions(path: string, newest = Infinity): Promise<void> {
    const metadata = await this.#vault.read<{ data: { versions: Record<string, { destroyed: boolean }> } }>(
      `${this.#mount}/metadata/${path}`,
    );
    const versions = Object.entries(metadata?.data.versions ?? {})
      .filter(([, version]) => !version.destroyed)
      .map(([number]) => Number(number))
      .filter((number) => number <= newest);
    if (versions.length > 0) await this.#vault.write(`${this.#mount}/destroy/${path}`, { versions });
  }

  /** Deletes every version and the count of them: a `cas` other than 0 that was read before never fits again. */
  forget(path: string): Promise<void> {
    return this.#vault.delete(`${this.#mount}/metadata/${path}`);
  }

  /**
   * The same, and says whether there was a document. A change under way presents the version it has read, which no longer is: it
   * cannot bring the document back.
   */
  async remove(path: string): Promise<boolean> {
    const document = await this.read(path);
    if (document === undefined) return false;
    await this.forget(path);
    return document.data !== undefined;
  }
}
