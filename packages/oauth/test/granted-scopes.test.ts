import { expect, it } from 'vitest';
import { askedScopes, missingScopes } from '../src/index.ts';

const plain = { offlineScopes: ['offline'] };

it('users are asked for the scopes, and for what brings a refresh token', () => {
  expect(askedScopes(plain, ['a', 'offline'])).toEqual(['a', 'offline']);
  expect(askedScopes(plain, ['a'])).toEqual(['a', 'offline']);
});

it.each([
  [['a', 'b'], ['a'], ['b']],
  [['a'], ['a', 'b'], []],
  [['a', 'openid', 'offline_access', 'offline'], ['a'], []],
  [['User.Read'], ['https://graph.microsoft.com/User.Read'], []],
  [['email'], ['https://www.googleapis.com/auth/userinfo.email'], []],
  [['read'], ['issues.read'], ['read']],
])('of %j, when %j are granted, %j are missing', (asked, granted, missing) => {
  expect(missingScopes(plain, asked, granted)).toEqual(missing);
});
