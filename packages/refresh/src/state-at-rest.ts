import { isRefreshable, type StoredCredential } from '@connectors/vault-core';
import type { IndexedState } from './state-index.ts';

const expiringMs = 24 * 3600_000;

/**
 * What a stored credential is in, as far as Vault says; whether its refresh fails for now is the queue's knowledge.
 * `expiring`: nothing refreshes it, and it ends within a day or has ended.
 *
 * @param isRefreshed whether anybody would refresh it
 */
export function stateAtRest(
  stored: StoredCredential,
  now: number,
  isRefreshed = isRefreshable(stored),
): { state: Exclude<IndexedState, 'failing'>; reason?: string | undefined } {
  const { metadata, expiresAt } = stored;
  if (metadata.status === 'needs_reauth') return { state: 'needs_reauth', reason: metadata.statusReason };
  const isEnding = expiresAt !== undefined && Date.parse(expiresAt) - now < expiringMs;
  return { state: isEnding && !isRefreshed ? 'expiring' : 'active' };
}
