import { format, inspect } from 'node:util';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { Secret } from '../src/index.ts';

const value = 'gho_canary';
const secret = new Secret(value);

describe('secret', () => {
  it('reveals its value on demand', () => {
    expect(secret.reveal()).toBe(value);
  });

  it.each([
    // eslint-disable-next-line typescript/restrict-template-expressions -- what a careless caller does
    ['a template', () => `${secret}`],
    ['JSON', () => JSON.stringify({ nested: [secret] })],
    ['console.log', () => format('%s %o %j', secret, { secret }, secret)],
    ['inspect with hidden properties', () => inspect({ secret }, { showHidden: true, depth: 9 })],
    // eslint-disable-next-line typescript/no-misused-spread
    ['a spread copy', () => inspect({ ...secret })],
    ['an error that holds it', () => inspect(Object.assign(new Error('failed'), { secret }))],
  ])('does not show in %s', (_where, print) => {
    expect(print()).not.toContain(value);
  });

  it('does not show in a pino line', () => {
    const lines: string[] = [];
    pino({}, { write: (line: string) => lines.push(line) }).info({ secret, deep: { secret } }, 'stored');
    expect(lines.join('')).not.toContain(value);
  });
});
