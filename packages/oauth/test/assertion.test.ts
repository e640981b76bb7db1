import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { Secret } from '@connectors/vault-core';
import { jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { readPrivateKey, signAssertion } from '../src/assertion.ts';
import { newKey } from './new-key.ts';
import type { Algorithm } from './new-key.ts';

const now = Date.parse('2026-03-01T12:00:00.900Z');
const seconds = Math.floor(now / 1000);

async function signed(key: Secret, keyId?: string) {
  const claims = { iss: 'client-1', aud: 'https://as.example/token' };
  const jwt = await signAssertion({ key, keyId, claims, now });
  return {
    jwt,
    check: (publicKey: KeyObject, at = seconds) =>
      jwtVerify(jwt, publicKey, { currentDate: new Date(at * 1000) }),
  };
}

function pem(key: KeyObject, type: 'pkcs8' | 'pkcs1' | 'sec1'): string {
  return key.export({ type, format: 'pem' } as { type: 'pkcs8'; format: 'pem' }).toString();
}

describe('an assertion', () => {
  it.each<Algorithm>(['RS256', 'ES256', 'ES384', 'ES512', 'EdDSA'])(
    'is signed with %s if the key is of that kind',
    async (algorithm) => {
      const key = newKey(algorithm);
      const { check } = await signed(key.pem);
      const { protectedHeader, payload } = await check(key.publicKey);
      expect(protectedHeader).toEqual({ alg: algorithm, typ: 'JWT' });
      expect(payload).toMatchObject({ iss: 'client-1', aud: 'https://as.example/token' });
    },
  );

  it('names its key when that has a name', async () => {
    const key = newKey('ES256');
    const { check } = await signed(key.pem, 'key-7');
    expect((await check(key.publicKey)).protectedHeader.kid).toBe('key-7');
  });

  it('is valid from a minute ago to a minute ahead', async () => {
    const key = newKey('ES256');
    const { check } = await signed(key.pem);
    expect((await check(key.publicKey)).payload).toMatchObject({ iat: seconds - 60, exp: seconds + 60 });
    await expect(check(key.publicKey, seconds + 59)).resolves.toBeDefined();
    await expect(check(key.publicKey, seconds + 60)).rejects.toMatchObject({ code: 'ERR_JWT_EXPIRED' });
  });

  it('is never the same twice', async () => {
    const key = newKey('ES256');
    const [first, second] = [await signed(key.pem), await signed(key.pem)];
    const ids = [await first.check(key.publicKey), await second.check(key.publicKey)];
    expect(new Set(ids.map(({ payload }) => payload.jti)).size).toBe(2);
  });
});

describe('a private key', () => {
  it.each([
    ['of RSA as GitHub hands it out', pem(createPrivateKey(newKey('RS256').pem.reveal()), 'pkcs1'), 'RS256'],
    ['of a curve as OpenSSL writes it', pem(createPrivateKey(newKey('ES256').pem.reveal()), 'sec1'), 'ES256'],
    [
      'whose line ends were written as \\n',
      newKey('ES256')
        .pem.reveal()
        .trim()
        .replaceAll('\n', String.raw`\n`),
      'ES256',
    ],
    ['with Windows line ends', newKey('EdDSA').pem.reveal().replaceAll('\n', '\r\n'), 'EdDSA'],
  ])('is read: one %s', (_, text, algorithm) => {
    expect(readPrivateKey(new Secret(text))?.algorithm).toBe(algorithm);
  });

  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  const exotic = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey;
  const locked = createPrivateKey(newKey('ES256').pem.reveal()).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'canary',
  });

  it.each([
    ['nothing', ''],
    ['a path', '/run/secrets/canary.pem'],
    ['text', 'canary'],
    ['half a key', newKey('RS256').pem.reveal().slice(0, 400)],
    ['a public key', createPublicKey(newKey('RS256').pem.reveal()).export({ type: 'spki', format: 'pem' })],
    ['RSA that is too short', pem(weak, 'pkcs8')],
    ['a curve that no algorithm is for', pem(exotic, 'pkcs8')],
    ['an encrypted key', locked],
  ])('is not: %s', async (_, text) => {
    const key = new Secret(text.toString());
    expect(readPrivateKey(key)).toBeUndefined();
    await expect(signed(key)).rejects.toMatchObject({ code: 'private_key_invalid', sent: 'no' });
  });
});
