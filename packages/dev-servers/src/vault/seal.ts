import type { Barrier } from './barrier.ts';
import { Core } from './core.ts';
import { decodeKey } from './seal-key.ts';
import { VaultError } from './request.ts';

/** The seal around a Vault, with one key share: sealed there is storage and no core. */
export class Seal {
  readonly #barrier: Barrier;
  readonly #now: () => number;
  #core: Core | undefined;
  #requested = false;

  constructor(barrier: Barrier, now: () => number) {
    this.#barrier = barrier;
    this.#now = now;
  }

  /** @throws {VaultError} 503 while sealed */
  get core(): Core {
    if (!this.#core) throw new VaultError(503, 'Vault is sealed');
    return this.#core;
  }

  get sealed(): boolean {
    return this.#core === undefined;
  }

  /** @throws {VaultError} 400 when the key is not the one */
  unseal(key: string): void {
    if (this.#core) return;
    const decoded = decodeKey(key);
    if (!decoded) throw new VaultError(400, 'invalid key: a key of 32 bytes, in base64 or hex, is expected');
    if (!this.#barrier.unseal(decoded)) {
      throw new VaultError(
        400,
        'unable to retrieve stored keys: invalid key: failed to decrypt keys from storage: cipher: message authentication failed',
      );
    }
    this.#requested = false;
    this.#core = new Core(this.#barrier, this.#now, () => {
      this.#requested = true;
    });
  }

  seal(): void {
    this.#core?.audit.close();
    this.#core = undefined;
    this.#barrier.seal();
  }

  /** Seals if a request asked for it: after its own answer is made and logged. */
  sealIfRequested(): void {
    if (this.#requested) this.seal();
  }
}
