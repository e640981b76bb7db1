import { describe, expect, test } from 'vitest';
import { newMetadata } from '../src/credential.ts';
import { Secret } from '../src/secret.ts';
import { afterExpiry, afterRejection, sendableUntil, toUsable } from '../src/usable-credential.ts';

const id = { tenantId: 'acme', integration: 'demo' };
const credential = {
  accessToken: new Secret('token'),
  fields: {},
  revision: 'one',
  expiresAt: 100_000,
  marginMs: 5_000,
  isRefreshable: true,
};
const code = (code: string) => expect.objectContaining({ code }) as Error;

test('a token that can be refreshed is not sent within seconds of its expiry', () => {
  expect(sendableUntil(credential)).toBe(95_000);
});

test.each([
  ['5 seconds before the end of an hour', 3_600_000, 5_000],
  ['a tenth of its life before the end of a shorter one', 8_000, 800],
])('a token is waited for from %s', (_when, lifetimeMs, marginMs) => {
  const stored = {
    accessToken: 'vault:v1:a',
    refreshToken: 'vault:v1:r',
    expiresAt: new Date(lifetimeMs).toISOString(),
    scopes: [],
    tokenType: 'Bearer',
    metadata: newMetadata('demo', 'oauth-proxy', new Date(0)),
  };
  expect(sendableUntil(toUsable(stored, new Secret('token')))).toBe(lifetimeMs - marginMs);
});

test('a token that nothing can refresh is sent to its end', () => {
  expect(sendableUntil({ ...credential, isRefreshable: false })).toBe(100_000);
});

describe('after waiting for the refresh of a token that is about to expire', () => {
  test('what is stored is sent for as long as it lives: if no refresh came, its last seconds are better than none', () => {
    expect(afterExpiry(id, credential, 99_999)).toBe(credential);
  });

  test('the agent is asked to retry when no refresh came in time', () => {
    expect(() => afterExpiry(id, credential, 100_000)).toThrow(code('queue_unavailable'));
  });

  test('the user has to connect again when nothing can refresh it', () => {
    expect(() => afterExpiry(id, { ...credential, isRefreshable: false }, 100_000)).toThrow(
      code('token_expired'),
    );
  });

  test('the user has to connect when it was disconnected', () => {
    expect(() => afterExpiry(id, null, 0)).toThrow(code('credential_not_found'));
  });
});

describe('after waiting for the refresh of a token that the upstream refused', () => {
  test('a newer one is sent', () => {
    const newer = { ...credential, revision: 'two' };
    expect(afterRejection(id, newer, 'one', 1)).toBe(newer);
  });

  test('the refusal stands when there is no newer one', () => {
    expect(() => afterRejection(id, credential, 'one', 1)).toThrow(code('upstream_rejected_credential'));
  });

  test('the user has to connect again when nothing can refresh it', () => {
    expect(() => afterRejection(id, { ...credential, isRefreshable: false }, 'one', 1)).toThrow(
      code('token_expired'),
    );
  });

  test('the user has to connect when it was disconnected', () => {
    expect(() => afterRejection(id, null, 'one', 1)).toThrow(code('credential_not_found'));
  });
});
