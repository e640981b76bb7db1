import type { TokenFailure, TokenSet } from '@connectors/oauth';
import { VaultError, type RefreshJobData, type StoredCredential } from '@connectors/vault-core';
import { withoutAttempt, type Claim } from './claim.ts';
import type { RefreshEngine } from './engine.ts';
import { landRotation } from './land.ts';
import type { RefreshOutcome } from './outcome.ts';
import { scheduleRefresh } from './store.ts';
import { writeOverSpent } from './write-over.ts';

/** Stores the new tokens, schedules their refresh and announces them. */
export async function concludeSuccess(
  engine: RefreshEngine,
  job: RefreshJobData,
  claim: Claim,
  tokens: TokenSet,
): Promise<RefreshOutcome> {
  const stored = await landRotation(engine, job, claim, tokens);
  if (stored === undefined) return { kind: 'superseded' };
  const { revision } = stored.metadata;
  const { expiresAt } = stored;
  await scheduleRefresh(engine, job, stored);
  await engine.announce({
    type: 'refresh-success',
    tenantId: job.tenantId,
    integration: job.integration,
    revision,
    ...(expiresAt === undefined ? {} : { expiresAt }),
  });
  const old = claim.record.credential.expiresAt;
  const remainingLifeMs = old === undefined ? undefined : Date.parse(old) - Date.parse(claim.attempt.sentAt);
  return { kind: 'refreshed', revision, expiresAt, remainingLifeMs };
}

/**
 * Draws the consequence of a failed attempt.
 *
 * | class | the attempt in Vault | the credential |
 * |---|---|---|
 * | permanent | concluded | `needs_reauth`, nothing is tried again until a reconnect |
 * | transient, operator, throttled | concluded | tried again later |
 * | lost_response | stays: the next one knows that the refresh token may be spent | tried again after its deadline |
 */
export async function concludeFailure(
  engine: RefreshEngine,
  job: RefreshJobData,
  claim: Claim,
  failure: TokenFailure,
): Promise<RefreshOutcome> {
  if (failure.class === 'permanent') return giveUp(engine, job, claim, failure.reason);
  if (failure.class !== 'lost_response') await concludeAttempt(engine, job, claim);
  return {
    kind: 'retry',
    reason: failure.reason,
    ...(failure.retryAfterMs === undefined ? {} : { notBefore: engine.now() + failure.retryAfterMs }),
  };
}

async function giveUp(
  engine: RefreshEngine,
  job: RefreshJobData,
  claim: Claim,
  refusal: string,
): Promise<RefreshOutcome> {
  // An earlier attempt may have spent the token and lost the answer: then the provider refuses our own rotation.
  const reason = claim.attempt.afterLost === true ? 'response_lost' : refusal;
  const isLatched = await writeOverSpent(engine, job, claim.record, (stored) => {
    if (!isOurs(stored, claim)) return undefined;
    const concluded = withoutAttempt(stored);
    const updatedAt = new Date(engine.now()).toISOString();
    return {
      ...concluded,
      metadata: { ...concluded.metadata, updatedAt, status: 'needs_reauth', statusReason: reason },
    };
  });
  // The refused token is no longer the stored one: somebody else rotated it or the user came back.
  if (!isLatched) return { kind: 'superseded' };
  const { tenantId, integration, revision } = job;
  await engine.announce({ type: 'refresh-failed', tenantId, integration, revision, error: reason });
  return { kind: 'needs_reauth', reason };
}

/** Tells that nothing of this attempt is left in doubt. Failing to only makes the next attempt wait for its deadline. */
async function concludeAttempt(engine: RefreshEngine, job: RefreshJobData, claim: Claim): Promise<void> {
  try {
    await writeOverSpent(engine, job, claim.record, (stored) =>
      isOurs(stored, claim) ? withoutAttempt(stored) : undefined,
    );
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
  }
}

/** Past its deadline an attempt may have been followed by another, which then decides. */
function isOurs(stored: StoredCredential, claim: Claim): boolean {
  return stored.metadata.attempt?.id === claim.attempt.id;
}
