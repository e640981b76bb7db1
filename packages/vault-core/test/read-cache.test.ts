import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ReadCache } from '../src/read-cache.ts';
import { VaultError } from '../src/vault/vault-error.ts';

/** A source whose reads end when the test says so. */
class Source {
  reads: PromiseWithResolvers<string>[] = [];
  readonly read = (): Promise<string> => {
    const pending = Promise.withResolvers<string>();
    this.reads.push(pending);
    return pending.promise;
  };
}

let source: Source;
let cache: ReadCache<string>;
let now: number;

beforeEach(() => {
  now = 0;
  source = new Source();
  cache = new ReadCache<string>({
    read: source.read,
    freshUntil: (_value, readAt) => readAt + 60,
    usableUntil: (_value, readAt) => readAt + 600,
    now: () => now,
  });
});
afterEach(() => {
  vi.useRealTimers();
});

const sealed = new VaultError('read', 'sealed', 503);
const denied = new VaultError('read', 'denied', 403);

async function fill(value: string): Promise<void> {
  const reading = cache.get('a');
  source.reads.at(-1)?.resolve(value);
  await reading;
}

test('serves at once what is fresh, and nothing else', async () => {
  expect(cache.peek('a')).toBeUndefined();
  await fill('one');
  now = 59;
  expect(cache.peek('a')).toEqual({ value: 'one', from: 'cache' });
  expect(cache.peek('b')).toBeUndefined();
  now = 60;
  expect(cache.peek('a')).toBeUndefined();
});

test('counts age from when the read began', async () => {
  const reading = cache.get('a');
  now = 60;
  source.reads[0]?.resolve('one');
  await reading;
  expect(cache.peek('a')).toBeUndefined();
});

test('makes concurrent misses one read', async () => {
  const all = Promise.all([cache.get('a'), cache.get('a'), cache.read('a')]);
  source.reads[0]?.resolve('one');
  expect(await all).toEqual([{ value: 'one', from: 'source' }, { value: 'one', from: 'source' }, 'one']);
  expect(source.reads).toHaveLength(1);
});

test('tells all who wait for a read that it failed', async () => {
  const all = Promise.allSettled([cache.get('a'), cache.get('a')]);
  source.reads[0]?.reject(sealed);
  expect(await all).toMatchObject([{ reason: sealed }, { reason: sealed }]);
});

async function fail(error: Error): Promise<void> {
  const reading = cache.get('a');
  source.reads.at(-1)?.reject(error);
  await expect(reading).rejects.toBe(error);
}

test('does not ask a Vault again for two seconds that failed with nothing to fall back on', async () => {
  await fail(sealed);
  now = 1_999;
  await expect(cache.get('a')).rejects.toBe(sealed);
  expect(source.reads).toHaveLength(1);
  now = 2_000;
  await fill('one');
  expect(cache.peek('a')?.value).toBe('one');
});

test('asks again at once when Vault answered that it refuses', async () => {
  await fail(denied);
  await fill('one');
  expect(cache.peek('a')?.value).toBe('one');
});

test.each(['expire', 'drop', 'expireAll'] as const)('asks again after a failure and %s', async (event) => {
  await fail(sealed);
  cache[event]('a');
  await fill('one');
  expect(cache.peek('a')?.value).toBe('one');
});

test('forgets no value for what is not there', async () => {
  const known = new ReadCache<string | null>({
    read: (key) => Promise.resolve(key === 'good' ? 'one' : null),
    freshUntil: () => Infinity,
    usableUntil: () => Infinity,
    now: () => now,
  });
  await known.get('good');
  for (let guess = 0; guess < 60_000; guess += 1) await known.get(`guess-${guess}`);
  expect(known.peek('good')?.value).toBe('one');
  expect(known.peek('guess-59999')?.value).toBeNull();
  expect(known.peek('guess-0')).toBeUndefined();
});

test.each(['expire', 'drop', 'expireAll'] as const)(
  'does not keep what a read brings that began before %s',
  async (event) => {
    const early = cache.get('a');
    cache[event]('a');
    const late = cache.get('a');
    source.reads[1]?.resolve('new');
    await late;
    source.reads[0]?.resolve('old');
    expect((await early).value).toBe('old');
    expect(cache.peek('a')?.value).toBe('new');
  },
);

test.each(['expire', 'drop', 'expireAll'] as const)('reads again after %s', async (event) => {
  await fill('one');
  cache[event]('a');
  expect(cache.peek('a')).toBeUndefined();
  await fill('two');
  expect(cache.peek('a')?.value).toBe('two');
});

test.each(['expire', 'expireAll'] as const)(
  'serves what is stale after %s while Vault fails',
  async (event) => {
    await fill('one');
    cache[event]('a');
    const reading = cache.get('a');
    source.reads[1]?.reject(sealed);
    expect(await reading).toEqual({ value: 'one', from: 'stale' });
  },
);

test('does not serve what was dropped, even while Vault fails', async () => {
  await fill('one');
  now = 60;
  const reading = cache.get('a');
  cache.drop('a');
  source.reads[1]?.reject(sealed);
  await expect(reading).rejects.toBe(sealed);
});

test('serves nothing stale when Vault answers that it refuses', async () => {
  await fill('one');
  now = 60;
  const reading = cache.get('a');
  source.reads[1]?.reject(denied);
  await expect(reading).rejects.toBe(denied);
});

test('serves nothing stale beyond its end', async () => {
  await fill('one');
  now = 600;
  const reading = cache.get('a');
  source.reads[1]?.reject(sealed);
  await expect(reading).rejects.toBe(sealed);
});

test('leaves Vault in peace for two seconds after it failed', async () => {
  cache = new ReadCache<string>({
    read: source.read,
    freshUntil: (_value, readAt) => readAt + 60,
    usableUntil: () => Infinity,
    now: () => now,
  });
  await fill('one');
  now = 60;
  const reading = cache.get('a');
  source.reads[1]?.reject(sealed);
  await reading;
  now = 60 + 1_999;
  expect(cache.peek('a')).toEqual({ value: 'one', from: 'stale' });
  expect(source.reads).toHaveLength(2);
  now = 60 + 2_000;
  expect(cache.peek('a')).toEqual({ value: 'one', from: 'stale' });
  expect(source.reads).toHaveLength(3);
});

describe('while Vault is known to fail', () => {
  beforeEach(async () => {
    cache = new ReadCache<string>({
      read: source.read,
      freshUntil: (_value, readAt) => readAt + 60,
      usableUntil: () => 3_600_000,
      now: () => now,
    });
    for (const [index, key] of ['a', 'b'].entries()) {
      const reading = cache.get(key);
      source.reads[index]?.resolve(`old ${key}`);
      await reading;
    }
    now = 60;
    const reading = cache.get('a');
    source.reads[2]?.reject(sealed);
    await reading;
  });

  test('nobody waits: what is stale serves at once, and Vault is asked behind it', () => {
    expect(cache.peek('b')).toEqual({ value: 'old b', from: 'stale' });
    expect(source.reads).toHaveLength(4);
  });

  test('what comes of that is kept', async () => {
    cache.peek('b');
    source.reads[3]?.resolve('new b');
    await vi.waitFor(() => expect(cache.peek('b')).toEqual({ value: 'new b', from: 'cache' }));
    // And Vault is waited for again.
    now += 2_000;
    expect(cache.peek('a')).toBeUndefined();
  });

  test('what Vault refuses serves no longer', async () => {
    cache.peek('b');
    source.reads[3]?.reject(denied);
    await vi.waitFor(() => expect(source.reads).toHaveLength(4));
    now += 2_000;
    expect(cache.peek('b')).toBeUndefined();
  });

  test('that is not forgotten while it hangs', () => {
    for (let i = 0; i < 10; i += 1) {
      expect(cache.peek('b')).toEqual({ value: 'old b', from: 'stale' });
      now += 3_000;
    }
    expect(source.reads).toHaveLength(4);
  });

  test('that is forgotten when nobody has asked for a while', () => {
    now += 10_000;
    expect(cache.peek('b')).toBeUndefined();
  });
});

test('does not wait for a Vault that hangs when there is something stale to serve', async () => {
  await fill('one');
  now = 60;
  vi.useFakeTimers();
  const reading = cache.get('a');
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await reading).toEqual({ value: 'one', from: 'stale' });
});

test.each([
  ['was dropped', () => cache.drop('a')],
  ['came to its end', () => (now = 600)],
])('waits on for a Vault that hangs when what it had to serve %s meanwhile', async (_what, meanwhile) => {
  await fill('one');
  now = 60;
  vi.useFakeTimers();
  const reading = cache.get('a');
  await vi.advanceTimersByTimeAsync(500);
  meanwhile();
  await vi.advanceTimersByTimeAsync(1_500);
  source.reads.at(-1)?.resolve('two');
  expect(await reading).toEqual({ value: 'two', from: 'source' });
});

test('waits for a Vault that hangs when there is nothing else', async () => {
  vi.useFakeTimers();
  const reading = cache.get('a');
  await vi.advanceTimersByTimeAsync(10_000);
  source.reads[0]?.resolve('one');
  expect(await reading).toEqual({ value: 'one', from: 'source' });
});

test('keeps nothing that is not usable at all', async () => {
  cache = new ReadCache<string>({
    read: source.read,
    freshUntil: () => 0,
    usableUntil: () => 0,
    now: () => now,
  });
  await fill('one');
  expect(cache.size).toBe(0);
});
