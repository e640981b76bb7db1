import { expect, it } from 'vitest';
import { leaks } from './sinks.ts';

const secret = 'a~secret?of>20ÿbytes';

function isFound(content: string): boolean {
  return leaks(new Map([['secret', secret]]), [{ name: 'log', content }]).length === 1;
}

it.each(['', 'i', 'id', 'id:', 'id::'])('finds a secret in the base64 of a text, after “%s”', (before) => {
  for (const after of ['', '/', '//', '///']) {
    const text = Buffer.from(`${before}${secret}${after}`);
    expect(isFound(`Basic ${text.toString('base64')}`)).toBe(true);
    expect(isFound(`x.${text.toString('base64url')}.y`)).toBe(true);
  }
});

it('finds a secret as it is, and percent-encoded', () => {
  expect(isFound(`token=${secret}`)).toBe(true);
  expect(isFound(`token=${encodeURIComponent(secret)}`)).toBe(true);
});

it('finds nothing where there is another text', () => {
  expect(isFound(Buffer.from('another~text?of>20ÿbytes').toString('base64'))).toBe(false);
});
