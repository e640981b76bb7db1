import { isRefreshable, type RefreshJobData } from '@connectors/vault-core';
import type { RefreshEngine } from './engine.ts';
import { refreshDueAt } from './schedule.ts';

/** What became of a request to refresh a credential now. */
export type RequestOutcome = 'hastened' | 'superseded' | 'not_refreshable' | 'cooling_down' | 'throttled';

/**
 * Brings the refresh of a credential forward, because an upstream refused its token or it is about to expire. Only the
 * state that was refused is refreshed, and not within the cooldown after it was issued: an upstream that refuses every
 * token would otherwise cause a storm of token requests. The cooldown is read from Vault, so it holds across replicas.
 */
export async function refreshNow(engine: RefreshEngine, request: RefreshJobData): Promise<RequestOutcome> {
  const refusal = await judge(engine, request);
  const outcome = refusal ?? (await engine.queues.hasten(request, engine.now()));
  // Whoever waits for the refresh must not wait for one that will not come, or not soon.
  if (outcome !== 'hastened') await engine.announce({ type: 'refresh-declined', ...request, error: outcome });
  return outcome;
}

async function judge(engine: RefreshEngine, request: RefreshJobData): Promise<RequestOutcome | undefined> {
  const record = await engine.credentials.find(request);
  if (record?.credential.metadata.revision !== request.revision) return 'superseded';
  const { credential } = record;
  if (!isRefreshable(credential)) return 'not_refreshable';
  const isDue = (refreshDueAt(request, credential) ?? Infinity) <= engine.now();
  const isFresh = engine.now() - Date.parse(credential.metadata.tokenIssuedAt) < engine.limits.cooldownMs;
  return isFresh && !isDue ? 'cooling_down' : undefined;
}
