import { RateLimitError } from './errors.ts';
import { VaultError } from './vault/vault-error.ts';

export interface ReadCacheOptions<V> {
  read(key: string): Promise<V>;
  /** Until when a value read at `readAt` is served without asking again. Asked at every use. */
  freshUntil(value: V, readAt: number): number;
  /** Until when it may serve while the source fails. */
  usableUntil(value: V, readAt: number): number;
  now: () => number;
  /** Throws a RateLimitError if there were too many reads. What is still usable serves then, too. */
  admit?: ((key: string) => void) | undefined;
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
/** The limit for entries that anybody can cause by making up keys: they must not push out good ones. */
const maxMisses = 1_000;
/** If there is a stale entry to fall back on, a source that takes longer than this counts as failing. */
const patienceMs = 1_000;
const quietMs = 2_000;
const memoryMs = 5 * quietMs;
/** With this many reads under way, a failing source is not asked for more. */
const maxProbes = 10;

/**
 * Keeps what was read from Vault. Concurrent misses are one read; a read that began before its key was invalidated is
 * not kept. Stale values serve only while Vault fails. `null` stands for what is not there.
 */
export class ReadCache<V> {
  readonly #options: ReadCacheOptions<V>;
  readonly #entries = new Map<string, Entry<V>>();
  /** The same for values that are `null`. */
  readonly #absences = new Map<string, Entry<V>>();
  /** Reads that failed with nothing to fall back on. */
  readonly #failures = new Map<string, { error: unknown; quietUntil: number }>();
  readonly #reads = new Map<string, Promise<V>>();
  /** The last word of the source was that it fails; later than this it counts no more. */
  #failingUntil = 0;

  constructor(options: ReadCacheOptions<V>) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** What can be served at once. */
  peek(key: string): Served<V> | undefined {
    const entry = this.#find(key);
    if (entry === undefined) return undefined;
    const now = this.#options.now();
    if (!entry.isStale && now < this.#options.freshUntil(entry.value, entry.readAt)) {
      return { value: entry.value, from: 'cache' };
    }
    if (!this.#isUsable(entry)) return undefined;
    if (now >= entry.quietUntil) {
      if (now >= this.#failingUntil) return undefined;
      this.#probe(key, entry);
    }
    return { value: entry.value, from: 'stale' };
  }

  /** Nobody waits for a source that is known to fail, but somebody has to find out when it works again. */
  #probe(key: string, entry: Entry<V>): void {
    const now = this.#options.now();
    entry.quietUntil = now + quietMs;
    // One that hangs gives no word.
    if (this.#reads.size > 0) this.#failingUntil = now + memoryMs;
    if (this.#reads.size < maxProbes) this.read(key).catch(() => undefined);
  }

  /** Reads the source; while that fails, serves what is still usable. */
  async get(key: string): Promise<Served<V>> {
    const entry = this.#find(key);
    if (entry === undefined || !this.#isUsable(entry)) {
      return { value: await this.#readUnlessQuiet(key), from: 'source' };
    }
    try {
      return { value: await withPatience(this.read(key)), from: 'source' };
    } catch (error) {
      // An event may have dropped it in the meantime.
      if (error instanceof OutOfPatience) this.#note(error);
      if (isPassing(error) && this.#find(key) === entry && this.#isUsable(entry)) {
        entry.quietUntil = this.#options.now() + quietMs;
        return { value: entry.value, from: 'stale' };
      }
      // Without anything to fall back on there is no reason to be impatient.
      if (error instanceof OutOfPatience) return this.peek(key) ?? this.get(key);
      throw error;
    }
  }

  /** Reads the source, whatever is cached. */
  read(key: string): Promise<V> {
    return this.#reads.get(key) ?? this.#admitRead(key);
  }

  /** What was read so far may have changed; it serves on while the source fails. */
  expire(key: string): void {
    this.#reads.delete(key);
    this.#failures.delete(key);
    const entry = this.#find(key);
    if (entry !== undefined) markStale(entry);
  }

  expireAll(): void {
    this.#reads.clear();
    this.#failures.clear();
    for (const entry of this.#entries.values()) markStale(entry);
    for (const entry of this.#absences.values()) markStale(entry);
  }

  /** What was read so far must not serve again. */
  drop(key: string): void {
    this.#reads.delete(key);
    this.#forget(key);
  }

  #find(key: string): Entry<V> | undefined {
    return this.#entries.get(key) ?? this.#absences.get(key);
  }

  #forget(key: string): void {
    this.#entries.delete(key);
    this.#absences.delete(key);
    this.#failures.delete(key);
  }

  /** Each read of a Vault that hangs takes as long as all its retries: whoever comes next must not wait as long. */
  async #readUnlessQuiet(key: string): Promise<V> {
    const failure = this.#failures.get(key);
    if (failure !== undefined && this.#options.now() < failure.quietUntil) throw failure.error;
    return this.read(key);
  }

  async #admitRead(key: string): Promise<V> {
    this.#options.admit?.(key);
    return this.#startRead(key);
  }

  #startRead(key: string): Promise<V> {
    const readAt = this.#options.now();
    const reading: Promise<V> = this.#options.read(key).then(
      (value) => {
        this.#failingUntil = 0;
        if (this.#finish(key, reading)) this.#keep(key, value, readAt);
        return value;
      },
      (error: unknown) => {
        this.#note(error);
        if (this.#finish(key, reading) && isOutage(error)) {
          put(this.#failures, key, { error, quietUntil: this.#options.now() + quietMs }, maxMisses);
        }
        throw error;
      },
    );
    this.#reads.set(key, reading);
    return reading;
  }

  #note(error: unknown): void {
    this.#failingUntil = isOutage(error) ? this.#options.now() + memoryMs : 0;
  }

  /** Whether this read is still the one that counts: an event since it began has forgotten it. */
  #finish(key: string, reading: Promise<V>): boolean {
    return this.#reads.get(key) === reading && this.#reads.delete(key);
  }

  #keep(key: string, value: V, readAt: number): void {
    this.#forget(key);
    if (this.#options.usableUntil(value, readAt) <= readAt) return;
    const entry = { value, readAt, isStale: false, quietUntil: 0 };
    if (value === null) put(this.#absences, key, entry, maxMisses);
    else put(this.#entries, key, entry, maxEntries);
  }

  #isUsable(entry: Entry<V>): boolean {
    return this.#options.now() < this.#options.usableUntil(entry.value, entry.readAt);
  }
}

/** Adds to a map, at the cost of its oldest entry when it is full. */
function put<T>(map: Map<string, T>, key: string, value: T, max: number): void {
  map.delete(key);
  const [oldest] = map.keys();
  if (map.size >= max && oldest !== undefined) map.delete(oldest);
  map.set(key, value);
}

function markStale(entry: Entry<unknown>): void {
  entry.isStale = true;
  entry.quietUntil = 0;
}

class OutOfPatience extends Error {}

function isPassing(error: unknown): boolean {
  return isOutage(error) || error instanceof RateLimitError;
}

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
