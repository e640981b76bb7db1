import { TokenRequestError } from '@connectors/oauth';
import type { RefreshJobData, StoredCredential } from '@connectors/vault-core';
import { askProvider } from './ask-provider.ts';
import { claimRefresh } from './claim.ts';
import { concludeFailure, concludeSuccess } from './conclude.ts';
import type { RefreshEngine } from './engine.ts';
import type { RefreshOutcome } from './outcome.ts';
import { isRefreshable } from './schedule.ts';

/**
 * Refreshes one state of a credential: read → still due? → claim → token request → merge → encrypt → cas write →
 * schedule next → announce. May run any number of times, on any number of workers, for the same job.
 *
 * @throws VaultError while nothing has been sent: the attempt is simply made again later
 */
export async function refreshCredential(engine: RefreshEngine, job: RefreshJobData): Promise<RefreshOutcome> {
  const record = await engine.credentials.find(job);
  if (record === undefined || !isStillDue(record.credential, job)) return { kind: 'superseded' };
  const refreshToken = await engine.credentials.decryptRefreshToken(job, record.credential);
  if (refreshToken === undefined) return { kind: 'superseded' };

  const integration = engine.integrations.get(job.integration);
  if (integration === undefined) return { kind: 'retry', reason: 'integration_unknown' };
  // All that can be prepared is prepared before the claim: its deadline runs from there.
  const ready = await engine.discovery.complete(integration).catch(asDiscoveryError);
  if (ready instanceof TokenRequestError) return { kind: 'retry', reason: ready.code };

  const claimed = await claimRefresh(engine, job, record);
  if (claimed.kind === 'held') return claimed;
  if (claimed.kind === 'changed') return { kind: 'held', until: engine.now() };

  const verdict = await askProvider(engine, claimed.claim, ready, refreshToken);
  return verdict.kind === 'tokens'
    ? concludeSuccess(engine, job, claimed.claim, verdict.tokens)
    : concludeFailure(engine, job, claimed.claim, verdict);
}

function isStillDue(credential: StoredCredential, job: RefreshJobData): boolean {
  return credential.metadata.revision === job.revision && isRefreshable(credential);
}

function asDiscoveryError(error: unknown): TokenRequestError {
  if (error instanceof TokenRequestError) return error;
  throw error;
}
