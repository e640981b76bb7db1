import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { failures, warnings } from '../../../src/console/connect/outcomes.ts';

const page = readFileSync(new URL('../../../../../docs/connecting.md', import.meta.url), 'utf8');
const listed = [...page.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, code = '']) => code);

it('docs/connecting.md explains every warning and every failure, and no other', () => {
  const codes = listed.filter((code) => code.includes('_') || code === 'unsolicited');
  expect(codes.toSorted()).toEqual([...Object.keys(warnings), ...Object.keys(failures)].toSorted());
});

it.each([...Object.entries(failures), ...Object.entries(warnings)])(
  '%s is a code, a title and what to do next',
  (code, { title, action }) => {
    expect(code).toMatch(/^[a-z_]{1,64}$/);
    expect(title).not.toMatch(/[.!]$/);
    expect(action).toMatch(/\.$/);
  },
);
