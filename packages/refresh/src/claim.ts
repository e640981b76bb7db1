import { randomBytes } from 'node:crypto';
import {
  encodeBase32,
  VaultError,
  type CredentialId,
  type CredentialRecord,
  type RefreshAttempt,
  type StoredCredential,
} from '@connectors/vault-core';
import type { RefreshEngine } from './engine.ts';

/** The right to refresh one credential now. */
export interface Claim {
  attempt: RefreshAttempt;
  /** The record with the attempt in it: what the result is written over. */
  record: CredentialRecord;
  /** On the monotonic clock: later than this nothing may be sent, for another worker may claim. */
  deadline: number;
}

export type ClaimResult =
  | { kind: 'claimed'; claim: Claim }
  /** Another attempt is under way; look again at `until` (milliseconds since the epoch). */
  | { kind: 'held'; until: number }
  /** The credential changed while it was claimed: read it again. */
  | { kind: 'changed' };

/**
 * Writes an attempt into the credential's document. That one write with `cas` elects a single worker, proves that Vault
 * can save the result, and records that a refresh token is about to be spent. No lock in Redis could: it may
 * expire, or be lost, while its holder waits for the provider.
 */
export async function claimRefresh(
  engine: RefreshEngine,
  id: CredentialId,
  record: CredentialRecord,
): Promise<ClaimResult> {
  const deadline = engine.monotonic() + engine.limits.attemptMs;
  const earlier = record.credential.metadata.attempt;
  const heldUntil = earlier === undefined ? 0 : endOf(earlier, record, engine);
  if (engine.now() < heldUntil) return { kind: 'held', until: heldUntil };

  const attempt: RefreshAttempt = {
    id: encodeBase32(randomBytes(10)),
    sentAt: new Date(engine.now()).toISOString(),
    deadline: new Date(engine.now() + engine.limits.attemptMs).toISOString(),
    ...(earlier === undefined ? {} : { afterLost: true }),
  };
  const credential = withAttempt(record.credential, attempt);
  const version = await writeClaim(engine, id, credential, record.version);
  return version === undefined
    ? { kind: 'changed' }
    : { kind: 'claimed', claim: { attempt, record: { ...record, credential, version }, deadline } };
}

/**
 * When nobody can be spending the refresh token for this attempt any more. An attempt from the future was written by a
 * clock that is wrong, or ours is: then Vault's tells when it began, or its credential would be held until that future.
 */
function endOf(
  { sentAt, deadline, inDoubt }: RefreshAttempt,
  { writtenAt }: CredentialRecord,
  { now, limits }: RefreshEngine,
): number {
  if (inDoubt === true) return 0;
  const told = Date.parse(sentAt);
  const lengthMs = Date.parse(deadline) - told;
  const beganAt = told > now() + limits.clockSkewMs ? writtenAt : told;
  return beganAt + lengthMs + limits.clockSkewMs;
}

/** The version that holds the claim, or `undefined` when another writer was first. */
async function writeClaim(
  engine: RefreshEngine,
  id: CredentialId,
  credential: StoredCredential,
  cas: number,
): Promise<number | undefined> {
  try {
    return await engine.credentials.write(id, credential, cas);
  } catch (error) {
    if (!(error instanceof VaultError && error.reason === 'cas_mismatch')) throw error;
    // A write whose answer was lost is repeated and then collides with itself: the attempt there tells whose it is.
    const stored = await engine.credentials.find(id);
    const isOurs = stored?.credential.metadata.attempt?.id === credential.metadata.attempt?.id;
    return isOurs ? stored?.version : undefined;
  }
}

function withAttempt(credential: StoredCredential, attempt: RefreshAttempt): StoredCredential {
  return { ...credential, metadata: { ...credential.metadata, attempt } };
}

/** The document without its attempt: nothing is left in doubt, and the next one starts clean. */
export function withoutAttempt(credential: StoredCredential): StoredCredential {
  const { attempt: _concluded, ...metadata } = credential.metadata;
  return { ...credential, metadata };
}

/** The document with its attempt over and in doubt: the next one need not wait, and knows. */
export function withAttemptInDoubt(credential: StoredCredential, attempt: RefreshAttempt): StoredCredential {
  return withAttempt(credential, { ...attempt, inDoubt: true });
}
