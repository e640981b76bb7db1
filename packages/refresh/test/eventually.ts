import { vi } from 'vitest';

/** Repeats an assertion until it holds, for as long as a busy machine may need. */
export function eventually<T>(assertion: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(assertion, { timeout: 10_000, interval: 20 });
}
