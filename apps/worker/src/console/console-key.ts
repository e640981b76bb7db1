import { scryptSync } from 'node:crypto';
import type { Secret } from '@connectors/vault-core';

/**
 * A key of the console for one purpose, the same on every replica. It takes its time to make, so that nobody who holds
 * something signed with it can try out admin tokens.
 */
export function consoleKey(adminToken: Secret, purpose: string): Buffer {
  return scryptSync(adminToken.reveal(), `connectors console: ${purpose}`, 32);
}
