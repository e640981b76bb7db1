import { describe, expect, it } from 'vitest';
import { isVoid, passDue, type PassFacts } from '../../src/sweep/pass-due.ts';

const minute = 60_000;
const now = Date.parse('2025-11-08T12:00:00Z');
const last: PassFacts = {
  speed: 'full',
  begunAt: now - 5 * minute,
  life: 'first',
  tally: { tenants: 1_000, failed: 0 },
};

function due(change: Partial<PassFacts> = {}, intervalMs = 5 * minute) {
  return passDue({ life: 'first', last: { ...last, ...change }, current: undefined }, now, intervalMs);
}

describe('a pass', () => {
  it('is due an interval after the last one began', () => {
    expect(due()).toBe('trickle');
    expect(due({}, 6 * minute)).toBeUndefined();
  });

  it('is due at once, at full speed, when Redis was wiped', () => {
    expect(passDue({ life: 'first', last: undefined, current: undefined }, now, minute)).toBe('full');
  });

  it('is due at once, at full speed, when Redis was started since: it may have lost what it had', () => {
    expect(due({ life: 'before', begunAt: now })).toBe('full');
  });

  it('goes at full speed after one in which more than 1 % of the tenants failed', () => {
    expect(due({ tally: { tenants: 1_000, failed: 10 } })).toBe('trickle');
    expect(due({ tally: { tenants: 1_000, failed: 11 } })).toBe('full');
    expect(due({ tally: { tenants: 1, failed: 1 } })).toBe('full');
  });

  it('does not wait for the time of a clock that was ahead', () => {
    expect(due({ begunAt: now + 365 * 24 * 60 * minute })).toBe('trickle');
  });
});

describe('a pass under way', () => {
  const current: PassFacts = { ...last, speed: 'trickle', begunAt: now };

  it('goes on', () => {
    expect(isVoid({ life: 'first', last, current })).toBe(false);
    expect(isVoid({ life: 'first', last: undefined, current: { ...current, speed: 'full' } })).toBe(false);
  });

  it('is void when Redis has been started since it began', () => {
    expect(isVoid({ life: 'second', last, current })).toBe(true);
  });

  it('is void when it trickles through a Redis that was wiped', () => {
    expect(isVoid({ life: 'first', last: undefined, current })).toBe(true);
  });
});
