import { hash } from 'node:crypto';
import type { Secret } from '@connectors/vault-core';

/** RFC 7636 4.2, `S256`: goes into the authorize URL, while the verifier stays here until the code is exchanged. */
export function codeChallenge(verifier: Secret): string {
  return hash('sha256', verifier.reveal(), 'base64url');
}
