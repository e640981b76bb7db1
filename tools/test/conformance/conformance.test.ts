import { beforeAll, describe, expect, test } from 'vitest';
import { differs, type Comparison } from '../../conformance/compare.ts';
import { revisions, runConformance } from '../../conformance/run.ts';

let comparisons: Map<string, Comparison[]>;

beforeAll(async () => {
  comparisons = await runConformance({ revisions });
});

describe.each(revisions)('the official suite for %s', (revision) => {
  test('finds through the proxy exactly what it finds directly', () => {
    expect(comparisons.get(revision)?.filter(differs)).toEqual([]);
  });

  test('finds nothing wrong but with the extension that the server does not have', () => {
    const scenarios = comparisons.get(revision) ?? [];
    expect(scenarios.length).toBeGreaterThan(30);
    const failed = scenarios.filter(({ direct }) => direct.includes('failed'));
    expect(failed.filter(({ scenario }) => !scenario.startsWith('tasks-'))).toEqual([]);
  });
});
