import { generateKeyPairSync } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { Secret } from '@connectors/vault-core';

const curves = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' } as const;

export type Algorithm = 'RS256' | keyof typeof curves | 'EdDSA';

/** A key pair that signs with this algorithm; the private half in PKCS#8. */
export function newKey(algorithm: Algorithm): { pem: Secret; publicKey: KeyObject; jwk: JsonWebKey } {
  const { privateKey, publicKey } = newPair(algorithm);
  return {
    pem: new Secret(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
    publicKey,
    jwk: publicKey.export({ format: 'jwk' }),
  };
}

function newPair(algorithm: Algorithm): { privateKey: KeyObject; publicKey: KeyObject } {
  if (algorithm === 'RS256') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('ec', { namedCurve: curves[algorithm] });
}
