import {
  CredentialNotFoundError,
  sendableUntil,
  type Served,
  type UsableCredential,
} from '@connectors/vault-core';
import type { Exchange } from '../exchange.ts';
import type { ProxyParts } from '../pipeline.ts';

/** The tenant's credential, with a token that will not expire on its way. */
export function obtainCredential(exchange: Exchange, parts: ProxyParts): void | Promise<void> {
  const { credentials } = parts;
  const cached = credentials.peek(exchange.credentialId);
  if (cached !== undefined) return take(exchange, parts, cached);
  return credentials.get(exchange.credentialId).then((served) => take(exchange, parts, served));
}

/**
 * While a body was waited for, the credential may have been deleted, replaced, or come near its end: then what holds now is what
 * counts. A token that was near its end before is in no cache; its refresh was waited for, and is not once more.
 */
export function keepCredential(exchange: Exchange, parts: ProxyParts): void | Promise<void> {
  if (exchange.body.kind === 'none') return;
  const { credentialId: id, credential, isLast, isOutdated } = exchange;
  const isAlive = isLast && !isOutdated && parts.now() < credential.expiresAt;
  if (isAlive || parts.credentials.peek(id)?.value === credential) return;
  return obtainCredential(exchange, parts);
}

function take(
  exchange: Exchange,
  parts: ProxyParts,
  served: Served<UsableCredential | null>,
): void | Promise<void> {
  const { value: credential, from } = served;
  exchange.credentialFrom = from;
  parts.metrics.countCredential(from);
  if (credential === null) {
    throw new CredentialNotFoundError(exchange.credentialId.tenantId, exchange.credentialId.integration);
  }
  if (parts.now() >= sendableUntil(credential)) return awaitRefresh(exchange, parts, credential);
  exchange.credential = credential;
}

async function awaitRefresh(exchange: Exchange, parts: ProxyParts, spent: UsableCredential): Promise<void> {
  exchange.credential = await parts.renewals.replaceExpiring(exchange.credentialId, spent);
  exchange.isLast = parts.now() >= sendableUntil(exchange.credential);
}

/** Another credential than the one that the upstream just refused. */
export async function replaceCredential(exchange: Exchange, parts: ProxyParts): Promise<void> {
  exchange.credential = await parts.renewals.replaceRejected(exchange.credentialId, exchange.credential);
  exchange.isForced = true;
}
