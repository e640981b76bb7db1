import { describe, expect, it } from 'vitest';
import { fieldProblems } from '../src/index.ts';
import { fillUrl } from '../src/credential-fields.ts';

const fields = {
  installationId: { pattern: '[1-9][0-9]*' },
  region: { pattern: 'eu|us', optional: true },
  path: { pattern: '[^/]+', optional: true },
};

function problems(values: Record<string, string>): string[] {
  return fieldProblems({ fields }, { installationId: '7', ...values });
}

describe('the fields of a credential', () => {
  it('are fine when each fits its pattern', () => {
    expect(problems({ region: 'eu' })).toEqual([]);
  });

  it('may lack what is optional', () => {
    expect(problems({})).toEqual([]);
  });

  it('may not lack the others', () => {
    expect(fieldProblems({ fields }, {})).toEqual(['installationId: is required']);
  });

  it('may not be others than the provider has', () => {
    expect(problems({ host: 'evil.example' })).toEqual(['host: there is no such field']);
  });

  it('are not what every object has', () => {
    const rules = { constructor: { pattern: '.*' } };
    expect(fieldProblems({ fields: rules }, {})).toEqual(['constructor: is required']);
    expect(problems({ ['toString']: 'x' })).toEqual(['toString: there is no such field']);
  });

  it.each([
    ['has something before it', 'x7'],
    ['has something after it', '7/../../user'],
    ['has a line after it', '7\n8'],
    ['ends with a line end', '7\n'],
    ['is empty', ''],
    ['is longer than any of them', '7'.repeat(513)],
  ])('must match as a whole: one is refused that %s', (_, installationId) => {
    expect(problems({ installationId })).toEqual(['installationId: must match [1-9][0-9]*']);
  });

  it('must match as a whole also where the pattern has alternatives', () => {
    expect(problems({ region: 'eu.evil.example' })).toHaveLength(1);
    expect(problems({ region: 'evil.us' })).toHaveLength(1);
  });

  it.each(['.', '..'])('cannot climb in a path: %j', (path) => {
    expect(problems({ path })).toHaveLength(1);
  });

  it('are told of without their values', () => {
    expect(problems({ installationId: 'canary', region: 'canary' }).join()).not.toContain('canary');
  });
});

it('a URL is filled with fields as parts of its path, whatever they hold', () => {
  const filled = fillUrl('https://api.example/{a}/of/{b}?c={a}', { a: 'x/../y', b: '?q=1#f' });
  expect(filled).toBe('https://api.example/x%2F..%2Fy/of/%3Fq%3D1%23f?c=x%2F..%2Fy');
});
