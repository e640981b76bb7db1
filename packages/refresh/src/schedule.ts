import { createHash } from 'node:crypto';
import type { CredentialId, StoredCredential } from '@connectors/vault-core';

const maxLeadMs = 5 * 60_000;
const maxJitterMs = 30_000;

/**
 * How long before its expiry a token is refreshed: 5 minutes, or half of a shorter lifetime. A lead as long as the
 * lifetime would refresh without end.
 */
export function leadMs(lifetimeMs: number): number {
  return Math.min(maxLeadMs, lifetimeMs / 2);
}

/**
 * Spreads credentials that were stored together: up to 30 s, or 5 % of a shorter lifetime, always the same for the same
 * state of a credential.
 */
export function jitterMs(
  { tenantId, integration }: CredentialId,
  revision: string,
  lifetimeMs: number,
): number {
  const digest = createHash('sha256').update(`${tenantId}/${integration}/${revision}`).digest();
  return Math.floor((digest.readUInt32BE(0) / 2 ** 32) * Math.min(maxJitterMs, lifetimeMs * 0.05));
}

/** Whether a refresh could ever renew this credential. */
export function isRefreshable({ refreshToken, metadata }: StoredCredential): boolean {
  return refreshToken !== undefined && metadata.autoRefresh && metadata.status === 'active';
}

/**
 * When the refresh of a credential is due, in milliseconds since the epoch; `undefined` if it never is, because it
 * cannot be refreshed or its provider names no end (then only an upstream's 401 asks for a refresh).
 */
export function refreshDueAt(id: CredentialId, credential: StoredCredential): number | undefined {
  if (credential.expiresAt === undefined || !isRefreshable(credential)) return undefined;
  const expiresAt = Date.parse(credential.expiresAt);
  const lifetime = Math.max(0, expiresAt - Date.parse(credential.metadata.tokenIssuedAt));
  const lead = leadMs(lifetime) + jitterMs(id, credential.metadata.revision, lifetime);
  return Math.floor(expiresAt - lead);
}
