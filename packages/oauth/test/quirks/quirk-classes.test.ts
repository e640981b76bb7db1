import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { quirkClasses } from './quirk-classes.ts';

const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts'));
const sources = files.map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'));
const tested = sources.flatMap((text) =>
  [...text.matchAll(/^describe\('quirk: (.+)', \(\) => \{$/gm)].map(([, name = '']) => name),
);
const expected = Object.keys(quirkClasses).filter((name) => quirkClasses[name] === 'tested');

it('every class of quirks has its tests', () => {
  expect(expected.filter((name) => !tested.includes(name))).toEqual([]);
});

it('every test of a quirk is of a class in the table, and of one that waits for nothing', () => {
  expect(tested.filter((name) => !expected.includes(name))).toEqual([]);
});

it('each class is tested in one place', () => {
  expect(new Set(tested).size).toBe(tested.length);
});
