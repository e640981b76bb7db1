import { describe, expect, it } from 'vitest';
import { readArguments } from '../../chaos/arguments.ts';

describe('the command line of chaos', () => {
  it('may be empty', () => {
    expect(readArguments([])).toEqual({ seconds: 60, seed: 1, tenants: 200 });
  });

  it('sets length, seed and tenants', () => {
    const args = ['--seconds', '300', '--seed=3', '--tenants', '20'];
    expect(readArguments(args)).toEqual({ seconds: 300, seed: 3, tenants: 20 });
  });

  it.each([['--help'], ['-h']])('asks for the usage with %s', (flag) => {
    expect(readArguments([flag])).toBe('help');
  });

  it.each([
    [['--seconds', '29'], '--seconds must be a whole number from 30 to 3600'],
    [['--seconds', '1e3'], '--seconds must be a whole number from 30 to 3600'],
    [['--seed', '-1'], "Option '--seed' argument is ambiguous"],
    [['--seed', '4294967296'], '--seed must be a whole number from 0 to 4294967295'],
    [['--tenants', '0'], '--tenants must be a whole number from 1 to 2000'],
    [['--tenants', ''], '--tenants must be a whole number from 1 to 2000'],
    [['--speed', '3'], "Unknown option '--speed'"],
    [['60'], 'Unexpected argument'],
  ])('says what is wrong with %j', (args, problem) => {
    expect(readArguments(args)).toEqual({ problem: expect.stringContaining(problem) as string });
  });
});
