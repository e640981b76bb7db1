import { createHash } from 'node:crypto';
import { isRefreshable, type CredentialId, type StoredCredential } from '@connectors/vault-core';

const maxLeadMs = 5 * 60_000;
const maxJitterMs = 30_000;
const minIdleLifeMs = 60_000;

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

/**
 * When the refresh of a credential is due, in milliseconds since the epoch; `undefined` if it never is, because it
 * cannot be refreshed or its provider names no end (then only an upstream's 401 asks for a refresh).
 */
export function refreshDueAt(id: CredentialId, credential: StoredCredential): number | undefined {
  if (!isRefreshable(credential)) return undefined;
  const dues = [beforeExpiry(id, credential), keepingAlive(id, credential)];
  const due = Math.min(...dues.filter((at) => at !== undefined));
  return due === Infinity ? undefined : Math.floor(due);
}

function beforeExpiry(id: CredentialId, { expiresAt, metadata }: StoredCredential): number | undefined {
  if (expiresAt === undefined) return undefined;
  const end = Date.parse(expiresAt);
  const lifetime = Math.max(0, end - Date.parse(metadata.tokenIssuedAt));
  return end - leadMs(lifetime) - jitterMs(id, metadata.revision, lifetime);
}

/**
 * Refresh tokens that die when they lie idle are used at half of their time, however long the access token lives. Where
 * use does not prolong them, what is left of their life halves with every refresh: below a minute it is let be.
 */
function keepingAlive(id: CredentialId, { metadata }: StoredCredential): number | undefined {
  if (metadata.refreshTokenExpiresAt === undefined) return undefined;
  const issuedAt = Date.parse(metadata.tokenIssuedAt);
  const lifetime = Date.parse(metadata.refreshTokenExpiresAt) - issuedAt;
  if (lifetime < minIdleLifeMs) return undefined;
  return issuedAt + lifetime / 2 - jitterMs(id, metadata.revision, lifetime);
}
