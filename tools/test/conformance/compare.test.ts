import { expect, test } from 'vitest';
import { compare, differs } from '../../conformance/compare.ts';

const results = (checks: Record<string, string[]>) => new Map(Object.entries(checks));

test('runs with the same checks do not differ, in whatever order they were made', () => {
  const direct = results({ ping: ['ping SUCCESS', 'schema FAILURE'] });
  const [ping] = compare(direct, results({ ping: ['schema FAILURE', 'ping SUCCESS'] }));
  expect(differs(ping!)).toBe(false);
  expect(ping).toMatchObject({ direct: '1 passed, 1 failed', proxied: '1 passed, 1 failed' });
});

test('a check that came to something else is shown from both sides', () => {
  const [ping] = compare(results({ ping: ['ping SUCCESS'] }), results({ ping: ['ping FAILURE'] }));
  expect(differs(ping!)).toBe(true);
  expect(ping).toMatchObject({ onlyDirect: ['ping SUCCESS'], onlyProxied: ['ping FAILURE'] });
});

test('a check counts as often as it was made', () => {
  const [ping] = compare(results({ ping: ['a SUCCESS', 'a SUCCESS'] }), results({ ping: ['a SUCCESS'] }));
  expect(ping).toMatchObject({ onlyDirect: ['a SUCCESS'], onlyProxied: [] });
});

test('a scenario that ran only once differs', () => {
  const [ping] = compare(results({ ping: ['ping SUCCESS'] }), results({}));
  expect(ping).toMatchObject({ proxied: 'not run', onlyDirect: ['ping SUCCESS'] });
});
