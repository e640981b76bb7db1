import { VaultError } from '@connectors/vault-core';

export interface ReadCacheOptions<V> {
  read(key: string): Promise<V>;
  /** Until when a value read at `readAt` is served without asking again. Asked at every use. */
  freshUntil(value: V, readAt: number): number;
  /** Until when it may serve while the source fails. */
  usableUntil(value: V, readAt: number): number;
  now: () => number;
}

export interface Served<V> {
  value: V;
  from: 'cache' | 'source' | 'stale';
}

interface Entry<V> {
  value: V;
  readAt: number;
  isStale: boolean;
  /** The source failed: until then nobody asks it again for what is still usable. */
  quietUntil: number;
}

const maxEntries = 50_000;
/** While there is something to fall back on, a source that takes longer counts as failing. */
const patienceMs = 1_000;
const quietMs = 2_000;

/**
 * Keeps what was read from Vault. Concurrent misses are one read; a read that began before its key was invalidated is
 * not kept. Stale values serve only while Vault fails.
 */
export class ReadCache<V> {
  readonly #options: ReadCacheOptions<V>;
  readonly #entries = new Map<string, Entry<V>>();
  readonly #reads = new Map<string, Promise<V>>();

  constructor(options: ReadCacheOptions<V>) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** What can be served at once. */
  peek(key: string): Served<V> | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const now = this.#options.now();
    if (!entry.isStale && now < this.#options.freshUntil(entry.value, entry.readAt)) {
      return { value: entry.value, from: 'cache' };
    }
    return now < entry.quietUntil && this.#isUsable(entry)
      ? { value: entry.value, from: 'stale' }
      : undefined;
  }

  /** Reads the source; while that fails, serves what is still usable. */
  async get(key: string): Promise<Served<V>> {
    const entry = this.#entries.get(key);
    if (entry === undefined || !this.#isUsable(entry)) return { value: await this.read(key), from: 'source' };
    try {
      return { value: await withPatience(this.read(key)), from: 'source' };
    } catch (error) {
      // An event may have dropped it in the meantime.
      if (!isOutage(error) || this.#entries.get(key) !== entry || !this.#isUsable(entry)) throw error;
      entry.quietUntil = this.#options.now() + quietMs;
      return { value: entry.value, from: 'stale' };
    }
  }

  /** Reads the source, whatever is cached. */
  read(key: string): Promise<V> {
    return this.#reads.get(key) ?? this.#startRead(key);
  }

  /** What was read so far may have changed; it serves on while the source fails. */
  expire(key: string): void {
    this.#reads.delete(key);
    const entry = this.#entries.get(key);
    if (entry !== undefined) markStale(entry);
  }

  expireAll(): void {
    this.#reads.clear();
    for (const entry of this.#entries.values()) markStale(entry);
  }

  /** What was read so far must not serve again. */
  drop(key: string): void {
    this.#reads.delete(key);
    this.#entries.delete(key);
  }

  #startRead(key: string): Promise<V> {
    const readAt = this.#options.now();
    const reading: Promise<V> = this.#options.read(key).then(
      (value) => {
        if (this.#finish(key, reading)) this.#keep(key, value, readAt);
        return value;
      },
      (error: unknown) => {
        this.#finish(key, reading);
        throw error;
      },
    );
    this.#reads.set(key, reading);
    return reading;
  }

  /** Whether this read is still the one that counts: an event since it began has forgotten it. */
  #finish(key: string, reading: Promise<V>): boolean {
    return this.#reads.get(key) === reading && this.#reads.delete(key);
  }

  #keep(key: string, value: V, readAt: number): void {
    this.#entries.delete(key);
    if (this.#options.usableUntil(value, readAt) <= readAt) return;
    const [oldest] = this.#entries.keys();
    if (this.#entries.size >= maxEntries && oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.set(key, { value, readAt, isStale: false, quietUntil: 0 });
  }

  #isUsable(entry: Entry<V>): boolean {
    return this.#options.now() < this.#options.usableUntil(entry.value, entry.readAt);
  }
}

function markStale(entry: Entry<unknown>): void {
  entry.isStale = true;
  entry.quietUntil = 0;
}

class OutOfPatience extends Error {}

function isOutage(error: unknown): boolean {
  return error instanceof OutOfPatience || (error instanceof VaultError && error.isTransient);
}

async function withPatience<V>(reading: Promise<V>): Promise<V> {
  const { promise: timeUp, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new OutOfPatience()), patienceMs);
  try {
    return await Promise.race([reading, timeUp]);
  } finally {
    clearTimeout(timer);
    // It goes on without us; nobody may be left to hear that it failed.
    reading.catch(() => undefined);
  }
}
