import { describe, expect, test } from 'vitest';
import { readTarget } from '../../src/routes/target.ts';

describe('a target', () => {
  test('is taken apart without touching a byte of path and query', () => {
    expect(readTarget('/proxy/github/repos/a%20b/%E2%82%AC;v=1//c?q=a%2Fb&q=+&empty=')).toEqual({
      surface: 'rest',
      integration: 'github',
      path: '/repos/a%20b/%E2%82%AC;v=1//c',
      query: '?q=a%2Fb&q=+&empty=',
    });
  });

  test('may end with the integration', () => {
    expect(readTarget('/mcp/github')).toMatchObject({
      surface: 'mcp',
      integration: 'github',
      path: '',
      query: '',
    });
  });

  test.each([
    ['a file name with dots', '/a/..b/c../.well-known/a.b/...'],
    ['dots in the query', '/a?file=../../etc/passwd&u=http://b/..'],
    ['an encoded slash between names', '/projects/group%2Fname'],
    ['an encoded percent sign', '/discount/100%25'],
    ['bytes that are no UTF-8', '/caf%E9/%ff'],
    ['two slashes within', '/bucket//key'],
    ['an encoded question mark', '/a%3f/..b%23/c'],
  ])('may have %s', (_what, rest) => {
    expect(() => readTarget(`/proxy/github${rest}`)).not.toThrow();
  });
});

describe('a path that could leave the base path is refused:', () => {
  test.each([
    ['..', '/a/../b'],
    ['.. at the end', '/a/..'],
    ['.', '/./a'],
    ['encoded dots', '/%2e%2e/a'],
    ['one encoded dot', '/.%2E/a'],
    ['an encoded slash before dots', '/a%2f..%2fb'],
    ['a backslash', '/a\\b'],
    ['encoded backslashes', '/..%5ca'],
    ['dots encoded twice', '/%252e%252e/a'],
    ['a slash encoded three times', '/..%25252fa'],
    ['encoding without end', `/%${'25'.repeat(20)}2e`],
    ['dots in overlong UTF-8', '/%C0%AE%c0%ae/a'],
    ['slashes in overlong UTF-8', '/..%c0%afa'],
    ['slashes in longer UTF-8', '/..%e0%80%afa'],
    ['backslashes in overlong UTF-8', '/..%c1%9ca'],
    ['dots as code points', '/%u002e%u002E/a'],
    ['path parameters behind dots', '/..;a=b/c'],
    ['an encoded path parameter behind dots', '/..%3bx/c'],
    ['an encoded NUL behind dots', '/a/..%00/c'],
    ['an encoded question mark behind dots', '/a/..%3fc'],
    ['an encoded fragment behind encoded dots', '/a/%2e%2e%23c'],
    ['another authority', '//evil.example/a'],
  ])('%s', (_what, path) => {
    expect(() => readTarget(`/proxy/github${path}`)).toThrow(/^The path must not/);
  });
});

describe('a target is refused as malformed when', () => {
  test.each([
    ['it is in absolute form', 'http://evil.example/proxy/github/a'],
    ['it is an asterisk', '*'],
    ['it has a fragment', '/proxy/github/a#b'],
    ['its query has a fragment', '/proxy/github/a?b#c'],
  ])('%s', (_what, url) => {
    expect(() => readTarget(url)).toThrow('The request target must be a path');
  });

  test.each(['', 'git%68ub', '..', 'a b', '_clients', 'x'.repeat(65)])(
    'its integration is %j',
    (integration) => {
      expect(() => readTarget(`/proxy/${integration}/a`)).toThrow('integration must be 1 to 64 characters');
    },
  );
});
