import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkMutations } from '../mutants/check.ts';
import { mutations } from '../mutants/mutations.ts';
import { mutate } from '../mutants/sandbox.ts';

const foundations = [
  'the claim',
  'the deadline check',
  'the “still due?” check',
  'the cas',
  'the conflict rule',
  'the spool',
];

const root = join(import.meta.dirname, '../..');

describe('each mutation', () => {
  it.each(mutations)('finds the code it changes: without $without', (mutation) => {
    const source = readFileSync(join(root, mutation.file), 'utf8');
    expect(mutate(source, mutation)).not.toBe(source);
  });

  it('is refused where its text stands twice, or no more', () => {
    const [mutation] = mutations;
    if (mutation === undefined) throw new Error('there is none');
    expect(() => mutate('', mutation)).toThrow('must stand exactly once');
    expect(() => mutate(mutation.text.repeat(2), mutation)).toThrow('must stand exactly once');
  });

  it('that takes out a rule which everything rests on is noticed by a test (npx pnpm@12 mutants: every one)', async () => {
    const chosen = mutations.filter(({ without }) => foundations.includes(without));
    expect(chosen).toHaveLength(foundations.length);
    const findings = await checkMutations(chosen);
    const survivors = findings.filter(({ failed }) => failed.length === 0);
    expect(survivors.map(({ mutation }) => `without ${mutation.without}`)).toEqual([]);
  }, 300_000);
});
