import {
  VaultError,
  type CredentialRecord,
  type RefreshJobData,
  type StoredCredential,
} from '@connectors/vault-core';
import type { Verdict } from './ask-provider.ts';
import { withAttemptInDoubt, withoutAttempt, type Claim } from './claim.ts';
import type { RefreshEngine } from './engine.ts';
import type { Landing } from './land.ts';
import type { RefreshOutcome } from './outcome.ts';
import { scheduleRefresh } from './store.ts';
import { writeOverSpent } from './write-over.ts';

/** Schedules the refresh of tokens that were stored, and announces them. */
export async function concludeLanding(
  engine: RefreshEngine,
  job: RefreshJobData,
  spent: StoredCredential,
  landing: Landing,
): Promise<RefreshOutcome> {
  if (landing.kind === 'superseded') return landing;
  if (landing.kind === 'spooled') return { kind: 'retry', reason: 'vault_unavailable' };
  const { expiresAt, metadata } = landing.credential;
  const { revision } = metadata;
  const dueAt = await scheduleRefresh(engine, job, landing.credential);
  await engine.announce({
    type: 'refresh-success',
    tenantId: job.tenantId,
    integration: job.integration,
    revision,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(dueAt === undefined ? {} : { dueAt }),
  });
  const sentAt = spent.metadata.attempt?.sentAt;
  const remainingLifeMs =
    spent.expiresAt === undefined || sentAt === undefined
      ? undefined
      : Date.parse(spent.expiresAt) - Date.parse(sentAt);
  return { kind: 'refreshed', revision, expiresAt, remainingLifeMs };
}

/**
 * Draws the consequence of a failed attempt.
 *
 * | the provider's answer | the attempt in Vault | the credential |
 * |---|---|---|
 * | permanent | removed | `needs_reauth`, nothing is tried again until a reconnect |
 * | it cannot have rotated the token | removed | tried again |
 * | it may have rotated the token | in doubt: the next attempt knows | tried again |
 * | none came | stays live until its deadline | tried again after that |
 */
export async function concludeFailure(
  engine: RefreshEngine,
  job: RefreshJobData,
  claim: Claim,
  { kind, failure }: Exclude<Verdict, { kind: 'tokens' }>,
): Promise<RefreshOutcome> {
  if (failure.class === 'permanent') return giveUp(engine, job, claim, failure.reason);
  if (failure.reason !== 'deadline_missed' && isRefreshTokenDead(engine, claim.record.credential))
    return giveUp(engine, job, claim, 'refresh_token_expired');
  if (kind === 'failure') await endAttempt(engine, job, claim, failure.mayHaveRotated);
  return {
    kind: 'retry',
    reason: failure.reason,
    ...(failure.retryAfterMs === undefined ? {} : { notBefore: engine.now() + failure.retryAfterMs }),
    ...(failure.class === 'throttled' ? { isThrottled: true } : {}),
  };
}

/** Past the end of the refresh token, and a day more for clocks and for providers that are generous. */
function isRefreshTokenDead(engine: RefreshEngine, { metadata }: StoredCredential): boolean {
  const { refreshTokenExpiresAt: end } = metadata;
  return end !== undefined && engine.now() > Date.parse(end) + 24 * 60 * 60_000;
}

async function giveUp(
  engine: RefreshEngine,
  job: RefreshJobData,
  claim: Claim,
  refusal: string,
): Promise<RefreshOutcome> {
  // An earlier attempt may have spent the token and lost the answer: then the provider refuses our own rotation.
  const reason = claim.attempt.afterLost === true ? 'response_lost' : refusal;
  const latched = await writeOverSpent(engine, job, claim.record, (stored) => {
    if (!isOurs(stored, claim)) return undefined;
    const updatedAt = new Date(engine.now()).toISOString();
    const latch = { updatedAt, status: 'needs_reauth', statusReason: reason } as const;
    return { ...stored, metadata: { ...stored.metadata, ...latch } };
  });
  // The refused token is no longer the stored one: somebody else rotated it or the user came back.
  if (latched.kind !== 'written') return { kind: 'superseded' };
  return concludeLatch(engine, job, latched);
}

/** Whether a credential was given up by somebody who could not tell of it any more. */
export function isLatchUntold({ metadata }: StoredCredential): boolean {
  return metadata.status === 'needs_reauth' && metadata.attempt !== undefined;
}

/**
 * Tells that a credential was given up. Only then the attempt is taken out of the document: if the worker dies in between,
 * the next run of the job finds it there and tells.
 */
export async function concludeLatch(
  engine: RefreshEngine,
  job: RefreshJobData,
  record: CredentialRecord,
): Promise<RefreshOutcome> {
  const { tenantId, integration, revision } = job;
  const { statusReason: reason = 'unknown' } = record.credential.metadata;
  await engine.announce({ type: 'refresh-failed', tenantId, integration, revision, error: reason });
  await writeOverSpent(engine, job, record, (stored) =>
    isLatchUntold(stored) ? withoutAttempt(stored) : undefined,
  ).catch(ignoreVault);
  return { kind: 'needs_reauth', reason };
}

/** Frees the credential for the next attempt. Failing to only makes that one wait for the deadline. */
async function endAttempt(
  engine: RefreshEngine,
  job: RefreshJobData,
  claim: Claim,
  inDoubt: boolean,
): Promise<void> {
  // A doubt that an earlier attempt left is not cleared by this one's failure.
  const keep = inDoubt || claim.attempt.afterLost === true;
  await writeOverSpent(engine, job, claim.record, (stored) => {
    if (!isOurs(stored, claim)) return undefined;
    return keep ? withAttemptInDoubt(stored, claim.attempt) : withoutAttempt(stored);
  }).catch(ignoreVault);
}

function ignoreVault(error: unknown): void {
  if (!(error instanceof VaultError)) throw error;
}

/** Past its deadline an attempt may have been followed by another, which then decides. */
function isOurs(stored: StoredCredential, claim: Claim): boolean {
  return stored.metadata.attempt?.id === claim.attempt.id;
}
