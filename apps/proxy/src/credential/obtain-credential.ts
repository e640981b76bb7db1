import { CredentialNotFoundError, type CredentialId } from '@connectors/vault-core';
import type { Exchange } from '../exchange.ts';
import type { ProxyParts } from '../pipeline.ts';
import type { Served } from '../read-cache.ts';
import { afterExpiry, afterRejection, sendableUntil, type UsableCredential } from './usable-credential.ts';

/** The tenant's credential, with a token that will not expire on its way. */
export function obtainCredential(exchange: Exchange, parts: ProxyParts): void | Promise<void> {
  const { credentials } = parts;
  const cached = credentials.peek(exchange.credentialId);
  if (cached !== undefined) return take(exchange, parts, cached);
  return credentials.get(exchange.credentialId).then((served) => take(exchange, parts, served));
}

function take(
  exchange: Exchange,
  parts: ProxyParts,
  served: Served<UsableCredential | null>,
): void | Promise<void> {
  const { value: credential, from } = served;
  exchange.credentialFrom = from;
  parts.metrics.credentials.inc({ from });
  if (credential === null) {
    throw new CredentialNotFoundError(exchange.credentialId.tenantId, exchange.credentialId.integration);
  }
  if (parts.now() >= sendableUntil(credential)) return awaitRefresh(exchange, parts, credential);
  exchange.credential = credential;
}

async function awaitRefresh(exchange: Exchange, parts: ProxyParts, spent: UsableCredential): Promise<void> {
  const id = exchange.credentialId;
  const stored = spent.isRefreshable ? await renew(id, parts, spent) : spent;
  exchange.credential = afterExpiry(id, stored, parts.now());
}

/** What Vault holds after a refresh; while it lives, the old one if nobody can be asked. */
async function renew(id: CredentialId, { renewals, now }: ProxyParts, spent: UsableCredential) {
  try {
    return await renewals.await(id, spent.revision);
  } catch (error) {
    if (now() < spent.expiresAt) return spent;
    throw error;
  }
}

/**
 * Another credential than the one that the upstream just refused: a newer one that is stored already, or the one that a
 * refresh brings.
 */
export async function replaceCredential(exchange: Exchange, parts: ProxyParts): Promise<void> {
  const { credentialId: id, credential: rejected } = exchange;
  const stored = await parts.renewals.force(id, rejected.revision);
  exchange.credential = afterRejection(id, stored, rejected.revision);
  exchange.isForced = true;
}
