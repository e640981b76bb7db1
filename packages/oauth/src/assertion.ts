import { createPrivateKey, randomUUID } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Secret } from '@connectors/vault-core';
import { SignJWT } from 'jose';
import type { JWTPayload } from 'jose';
import { TokenRequestError } from './provider-call.ts';

/** Seconds before and after now in which an assertion is valid: for clocks that differ, and short for whoever steals it. */
export const assertionValidity = 60;

export interface Assertion {
  /** In PEM, PKCS#8 or as OpenSSL wrote it before; line ends may be written as `\n`. */
  key: Secret;
  keyId: string | undefined;
  claims: JWTPayload;
  /** Milliseconds since the epoch. */
  now: number;
}

/**
 * Signs a JWT that says who we are (RFC 7523 3).
 *
 * @throws {TokenRequestError} `private_key_invalid`
 */
export async function signAssertion({ key: pem, keyId, claims, now }: Assertion): Promise<string> {
  const privateKey = readPrivateKey(pem);
  if (privateKey === undefined) throw new TokenRequestError('private_key_invalid', 'no');
  const { key, algorithm } = privateKey;
  const seconds = Math.floor(now / 1000);
  return await new SignJWT(claims)
    .setProtectedHeader({ alg: algorithm, typ: 'JWT', ...(keyId === undefined ? {} : { kid: keyId }) })
    .setIssuedAt(seconds - assertionValidity)
    .setExpirationTime(seconds + assertionValidity)
    .setJti(randomUUID())
    .sign(key);
}

/** A key and how it signs; `undefined` if the text is not a key, or the key is too weak. */
export function readPrivateKey(pem: Secret): { key: KeyObject; algorithm: string } | undefined {
  try {
    const key = createPrivateKey(pem.reveal().replaceAll(String.raw`\n`, '\n'));
    const algorithm = algorithmOf(key);
    return algorithm === undefined ? undefined : { key, algorithm };
  } catch {
    return undefined;
  }
}

const curves: Readonly<Record<string, string>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | undefined {
  if (asymmetricKeyType === 'ed25519') return 'EdDSA';
  if (asymmetricKeyType === 'ec') return curves[asymmetricKeyDetails?.namedCurve ?? ''];
  // RFC 7518 3.3 asks for 2048 bits.
  const isStrong = (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
  return asymmetricKeyType === 'rsa' && isStrong ? 'RS256' : undefined;
}
