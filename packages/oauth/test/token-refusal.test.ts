import { expect, it } from 'vitest';
import { isRefusalBody, isTokenRefused } from '../src/token-refusal.ts';

it.each([
  ['a 401', 401, undefined, true],
  ['a 401 with a challenge that names no error', 401, 'Bearer realm="api"', true],
  ['a 401 for a missing permission', 401, 'Bearer error="insufficient_scope", scope="repo"', false],
  ['a 403', 403, undefined, false],
  ['a 403 for a token that has expired', 403, 'Bearer realm="x", error="invalid_token"', true],
  ['a 403 with the error unquoted', 403, 'Bearer error=invalid_token', true],
  ['a 403 for a missing permission', 403, 'Bearer error="insufficient_scope"', false],
  ['a 403 whose description alone speaks of an error', 403, 'Bearer error_description="no"', false],
  [
    'another challenge before the one that counts',
    403,
    'Basic realm="a", Bearer error="invalid_token"',
    true,
  ],
  ['any other status, whatever its challenge', 400, 'Bearer error="invalid_token"', false],
  ['a success', 200, undefined, false],
] as const)('%s', (_what, status, challenge, isRefused) => {
  expect(isTokenRefused({ status, challenge }, [401])).toBe(isRefused);
});

it.each([
  ['a status of its own', 498, [401, 498], true],
  ['403 as well', 403, [401, 403], true],
  ['nothing but 403, for its 401 is about permissions', 401, [403], false],
])('a provider may name %s', (_what, status, statuses, isRefused) => {
  expect(isTokenRefused({ status }, statuses)).toBe(isRefused);
});

it('a challenge wins over what the provider names', () => {
  const challenge = 'Bearer error="insufficient_scope"';
  expect(isTokenRefused({ status: 403, challenge }, [401, 403])).toBe(false);
});

it.each([
  ['a code that the provider names', '{"ok":false,"error":"token_expired"}', true],
  ['any other code', '{"ok":false,"error":"not_in_channel"}', false],
  ['a code that stands deeper', '{"data":{"error":"token_expired"}}', false],
  ['an error that is no code', '{"error":["token_expired"]}', false],
  ['no object', 'null', false],
  ['no JSON', 'token_expired', false],
])('a success refuses a token with its body: %s', (_what, body, isRefused) => {
  expect(isRefusalBody(body, ['token_expired'])).toBe(isRefused);
});

it('no success refuses a token where the provider names no codes', () => {
  expect(isRefusalBody('{"error":"token_expired"}', [])).toBe(false);
});
