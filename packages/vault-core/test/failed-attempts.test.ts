import { expect, it } from 'vitest';
import { FailedAttempts } from '../src/index.ts';

function start() {
  const clock = { now: 0 };
  const attempts = new FailedAttempts({ burst: 3, everyMs: 1_000, now: () => clock.now });
  const fail = (address: string, times: number) => {
    for (let count = 0; count < times; count += 1) attempts.add(address);
  };
  return { clock, attempts, fail };
}

it('lets an address fail as often as it may', () => {
  const { attempts, fail } = start();
  fail('a', 2);
  expect(attempts.waitMs('a')).toBe(0);
});

it('lets it wait then, and one more time fail after each wait', () => {
  const { attempts, clock, fail } = start();
  fail('a', 3);
  expect(attempts.waitMs('a')).toBe(1_000);
  clock.now = 400;
  expect(attempts.waitMs('a')).toBe(600);
  clock.now = 1_000;
  expect(attempts.waitMs('a')).toBe(0);
  fail('a', 1);
  expect(attempts.waitMs('a')).toBe(1_000);
});

it('does not let it wait longer the more often it fails meanwhile', () => {
  const { attempts, fail } = start();
  fail('a', 100);
  expect(attempts.waitMs('a')).toBe(1_000);
});

it('forgives everything with time, and no more than that', () => {
  const { attempts, clock, fail } = start();
  fail('a', 3);
  clock.now = 3_600_000;
  fail('a', 3);
  expect(attempts.waitMs('a')).toBe(1_000);
});

it('tells addresses apart', () => {
  const { attempts, fail } = start();
  fail('a', 3);
  expect(attempts.waitMs('b')).toBe(0);
});

it('is not confused by a clock that is set back', () => {
  const { attempts, clock, fail } = start();
  clock.now = 10_000;
  fail('a', 3);
  clock.now = 0;
  expect(attempts.waitMs('a')).toBe(1_000);
});

it('remembers ten thousand addresses at most, the latest', () => {
  const { attempts, fail } = start();
  fail('first', 3);
  for (let count = 0; count < 10_000; count += 1) attempts.add(String(count));
  expect(attempts.waitMs('first')).toBe(0);
  fail('last', 3);
  expect(attempts.waitMs('last')).toBe(1_000);
});
