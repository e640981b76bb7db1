import { describe, expect, it } from 'vitest';
import { compilePathPattern, isPathPattern, normalisePath } from '../src/index.ts';

const matches = (pattern: string, path: string) => compilePathPattern(pattern)(normalisePath(path));

describe('a path pattern matches', () => {
  it.each([
    ['/user', '/user', 'itself'],
    ['/', '/', 'the root'],
    ['/repos/*/issues', '/repos/acme/issues', 'one segment for a star'],
    ['/repos/*/*', '/repos/acme/web', 'one for each star'],
    ['/repos/*', '/repos/a;v=1', 'a segment with a parameter'],
    ['/repos/*', '/repos/caf%C3%A9', 'a segment in UTF-8'],
    ['/repos/*', '/repos/a%20b%3Fc%23d', 'what is encoded and no part of the syntax of paths'],
    ['/repos/*', '/repos/...', 'three dots'],
    ['/files/*', '/files/a:b@c=d', 'what needs no encoding in a segment'],
    ['/repos/**', '/repos/acme/web/issues', 'any rest'],
    ['/repos/**', '/repos/', 'an empty rest'],
    ['/repos/**', '/repos/acme/', 'a rest that ends in a slash'],
    ['/repos/**', '/repos/a%2Fb/c', 'a rest with an encoded slash'],
    ['/**', '/', 'all, the root too'],
    ['/**', '/a/b', 'all'],
    ['/repos/*/pulls/**', '/repos/acme/pulls/1/files', 'stars of both kinds'],
    ['/user/', '/user/', 'a slash at the end'],
    ['/a%2fb', '/a%2Fb', 'an encoded slash of its own, in either case'],
    ['/a%2Fb/*', '/a%2fb/c', 'an encoded slash before a star'],
    ['/%75ser', '/user', 'an encoded letter, as the letter'],
    ['/user', '/%75s%65r', 'a letter, also when the caller encodes it'],
    ['/a-b._~c', '/a%2Db%2E%5F%7Ec', 'every character that needs no encoding'],
  ])('%s: %s, %s', (pattern, path) => {
    expect(matches(pattern, path)).toBe(true);
  });
});

describe('a path pattern does not match', () => {
  it.each([
    ['/user', '/users', 'what is longer'],
    ['/user', '/User', 'another case'],
    ['/user', '/user/', 'a slash more at the end'],
    ['/user/', '/user', 'a slash less at the end'],
    ['/user', '/user;a=1', 'a parameter that it does not name'],
    ['/user', '/', 'the root'],
    ['/repos/*', '/repos', 'a segment that is not there'],
    ['/repos/*', '/repos/', 'an empty segment'],
    ['/repos/*/issues', '/repos//issues', 'an empty segment between others'],
    ['/repos/*', '/repos/a/b', 'two segments for one star'],
    ['/repos/*', '/repos/a/', 'a segment and a slash'],
    ['/repos/*', '/repos/a%2Fb', 'an encoded slash for a star'],
    ['/repos/*', '/repos/a%2fb', 'the same in lower case'],
    ['/repos/*', '/repos/a%5Cb', 'an encoded backslash'],
    ['/repos/*', '/repos/a%252Fb', 'a slash that is encoded twice'],
    ['/repos/*', '/repos/100%25', 'an encoded percent sign'],
    ['/repos/*', '/repos/a%00b', 'a NUL, where some cut a path off'],
    ['/repos/*', '/repos/a%0Ab', 'a line break'],
    ['/repos/*', '/repos/a%c0%afb', 'a slash in bytes that are no UTF-8'],
    ['/repos/*', '/repos/a%u002fb', 'what is no encoding'],
    ['/repos/*', '/repos/100%', 'a percent sign on its own'],
    ['/repos/*/issues', '/repos/;x/issues', 'a segment that is empty without its parameter'],
    ['/repos/*/issues', '/repos/%3Bx/issues', 'the same encoded'],
    ['/a/b', '/a%2Fb', 'an encoded slash for a slash'],
    ['/a%2Fb', '/a/b', 'a slash for an encoded one'],
    ['/a;b', '/a%3Bb', 'a character whose encoding can mean another thing'],
    ['/repos/**', '/repos', 'what ends before the rest begins'],
    ['/repos/**', '/repository/a', 'what only begins alike'],
    ['/repos/*/pulls/**', '/repos/acme/pulls', 'what ends before the rest begins, after a star'],
    ['/repos/*/pulls/**', '/repos/pulls/1', 'what lacks a segment before the rest'],
    ['/repos/*/pulls/**', '/repos/a%2Fb/pulls/1', 'an encoded slash for a star before the rest'],
  ])('%s: %s, %s', (pattern, path) => {
    expect(matches(pattern, path)).toBe(false);
  });
});

describe('no path pattern is', () => {
  it.each([
    ['', 'nothing'],
    ['user', 'a path without its slash'],
    ['https://api.example.com/user', 'a URL'],
    ['//user', 'a path that begins with two slashes'],
    ['/user?page=1', 'a path with a query'],
    ['/user#top', 'a path with a fragment'],
    ['/a/../b', 'a path that climbs'],
    ['/a/./b', 'a path with a dot segment'],
    ['/a/%2e%2E/b', 'a path that climbs, encoded'],
    ['/a/..;x/b', 'a path that climbs, with a parameter'],
    ['/a\\b', 'a path with a backslash'],
    ['/a b', 'a path with a space'],
    ['/café', 'a path that is not encoded'],
    ['/100%', 'a percent sign on its own'],
    ['/a%zz', 'what is no encoding'],
    ['/**/issues', 'any rest in the middle'],
    ['/repos/acme-*', 'a star for a part of a segment'],
    ['/repos/***', 'three stars'],
  ])('%j, %s', (pattern) => {
    expect(isPathPattern(pattern)).toBe(false);
  });

  it.each(['/', '/user', '/a//b', '/a/*/b', '/a/**', '/*', '/**', '/a%2Fb', '/v1.0/me:send', '/a/.../b'])(
    'but %s is one',
    (pattern) => {
      expect(isPathPattern(pattern)).toBe(true);
    },
  );
});
