import { isRefreshable, type StoredCredential } from '@connectors/vault-core';
import type { IndexedState } from './state-index.ts';

const expiringMs = 24 * 3600_000;

/**
 * What a stored credential is in, as far as Vault says; whether its refresh fails for now is the queue's knowledge.
 * `expiring`: nothing refreshes it, and it ends within a day. Once it has ended its user has to connect again.
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
  if (expiresAt === undefined || isRefreshed) return { state: 'active' };
  const leftMs = Date.parse(expiresAt) - now;
  if (leftMs <= 0) return { state: 'needs_reauth', reason: 'token_expired' };
  return { state: leftMs < expiringMs ? 'expiring' : 'active' };
}
