import { hkdfSync, scryptSync } from 'node:crypto';
import type { Secret } from '@connectors/vault-core';

/** By admin token: one is slow to make, and every worker needs several keys when it starts. */
const masters = new WeakMap<Secret, Buffer>();

/**
 * A key of the console for one purpose, the same on every replica. What it is made from takes its time to make, so that nobody
 * who holds something signed with it can try out admin tokens.
 */
export function consoleKey(adminToken: Secret, purpose: string): Buffer {
  let master = masters.get(adminToken);
  if (master === undefined) {
    master = scryptSync(adminToken.reveal(), 'connectors console', 32);
    masters.set(adminToken, master);
  }
  return Buffer.from(hkdfSync('sha256', master, '', purpose, 32));
}
