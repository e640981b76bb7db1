import { createHash, randomBytes } from 'node:crypto';
import { Secret } from '@connectors/vault-core';

/** RFC 7636: the verifier stays here until the code is exchanged, its S256 challenge goes into the authorize URL. */
export interface Pkce {
  verifier: Secret;
  challenge: string;
}

/** A new verifier and its challenge. */
export function newPkce(): Pkce {
  const verifier = randomBytes(32).toString('base64url');
  return {
    verifier: new Secret(verifier),
    challenge: createHash('sha256').update(verifier).digest('base64url'),
  };
}
