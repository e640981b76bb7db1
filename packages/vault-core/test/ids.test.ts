import { describe, expect, it } from 'vitest';
import { checkId, encodeBase32, isId, newRevision } from '../src/index.ts';

describe('id', () => {
  it.each(['a', 'tenant-123', 'Tenant_1', 'a'.repeat(64), '0'])('takes %s', (id) => {
    expect(isId(id)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['a step up', '..'],
    ['a slash', 'a/b'],
    ['an encoded slash', 'a%2fb'],
    ['a query', 'a?list=true'],
    ['a fragment', 'a#b'],
    ['a dot', 'a.b'],
    ['a colon', 'a:b'],
    ['a leading underscore, which is the system’s own', '_agents'],
    ['a trailing hyphen', 'a-'],
    ['a line break at the end', 'a\n'],
    ['a letter that only looks like one', 'аbc'],
    ['65 characters', 'a'.repeat(65)],
  ])('refuses %s', (_what, id) => {
    expect(isId(id)).toBe(false);
  });

  it('is refused with the field and the rule, before it becomes a path', () => {
    expect(() => checkId('tenantId', '../other')).toThrow(
      expect.objectContaining({
        code: 'invalid_request',
        message: expect.stringMatching(/^tenantId must be 1 to 64 characters/) as string,
      }),
    );
  });
});

describe('revision', () => {
  it('is 20 characters of base32, never only digits of a job id', () => {
    expect(newRevision()).toMatch(/^[a-z2-7]{20}$/);
  });

  it('differs each time', () => {
    expect(new Set(Array.from({ length: 1000 }, newRevision)).size).toBe(1000);
  });
});

// RFC 4648, section 10, in lower case and without padding.
describe('base32', () => {
  it.each([
    ['', ''],
    ['f', 'my'],
    ['fo', 'mzxq'],
    ['foo', 'mzxw6'],
    ['foob', 'mzxw6yq'],
    ['fooba', 'mzxw6ytb'],
    ['foobar', 'mzxw6ytboi'],
  ])('of %j is %j', (text, encoded) => {
    expect(encodeBase32(Buffer.from(text))).toBe(encoded);
  });
});
