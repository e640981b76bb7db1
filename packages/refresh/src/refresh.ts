import { TokenRequestError, type Integration } from '@connectors/oauth';
import { isRefreshable, type RefreshJobData, type StoredCredential } from '@connectors/vault-core';
import { askProvider } from './ask-provider.ts';
import { claimRefresh } from './claim.ts';
import { concludeFailure, concludeLanding, concludeLatch, isLatchUntold } from './conclude.ts';
import type { RefreshEngine } from './engine.ts';
import { dropSpooled, landRotation, landSpooled } from './land.ts';
import type { RefreshOutcome } from './outcome.ts';
import { scheduleRefresh } from './store.ts';
import { openTokenSource } from './token-source.ts';

/**
 * Refreshes one state of a credential: read → still due? → drain the spool → claim → token request → merge → encrypt →
 * cas write → schedule next → announce. May run any number of times, on any number of workers, for the same job.
 *
 * @throws VaultError while nothing has been sent: the attempt is simply made again later
 */
export async function refreshCredential(engine: RefreshEngine, job: RefreshJobData): Promise<RefreshOutcome> {
  const record = await engine.credentials.find(job);
  if (record?.credential.metadata.revision !== job.revision) {
    await dropSpooled(engine, job, record);
    // Whoever stored it may have died before it was scheduled.
    if (record !== undefined) await scheduleRefresh(engine, job, record.credential);
    return { kind: 'superseded' };
  }
  const spooled = await landSpooled(engine, job, record);
  if (spooled !== undefined) return concludeLanding(engine, job, record.credential, spooled);
  if (isLatchUntold(record.credential)) return concludeLatch(engine, job, record);
  if (!isRefreshable(record.credential)) return { kind: 'superseded' };

  const source = await openTokenSource(engine, job, record.credential);
  if (source === undefined) return { kind: 'superseded' };

  const integration = engine.integrations.get(job.integration);
  if (integration === undefined) return { kind: 'retry', reason: 'integration_unknown' };
  if (!fits(integration, record.credential)) return { kind: 'retry', reason: 'integration_changed' };
  // All that can be prepared is prepared before the claim: its deadline runs from there.
  const ready = await engine.discovery.complete(integration).catch(asDiscoveryError);
  if (ready instanceof TokenRequestError) return { kind: 'retry', reason: ready.code };
  await engine.spool.prepare();

  const claimed = await claimRefresh(engine, job, record);
  if (claimed.kind === 'held') return claimed;
  if (claimed.kind === 'changed') return { kind: 'held', until: engine.now() };

  const { claim } = claimed;
  const verdict = await askProvider(engine, claim, ready, source);
  if (verdict.kind !== 'tokens') return concludeFailure(engine, job, claim, verdict);
  const landing = await landRotation(engine, job, claim.record, verdict.tokens);
  return concludeLanding(engine, job, claim.record.credential, landing);
}

/** The operator may have given an integration another grant since the tenant connected it. */
function fits({ provider }: Integration, { metadata }: StoredCredential): boolean {
  return provider.grant === (metadata.grant ?? 'authorization_code');
}

function asDiscoveryError(error: unknown): TokenRequestError {
  if (error instanceof TokenRequestError) return error;
  throw error;
}
