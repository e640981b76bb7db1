import type { RefreshJob } from '@connectors/vault-core';
import { DelayedError, UnrecoverableError } from 'bullmq';
import type { Logger } from 'pino';
import type { RefreshEngine } from '../engine.ts';
import type { RefreshMetrics } from '../metrics.ts';
import type { RefreshOutcome } from '../outcome.ts';
import { refreshCredential } from '../refresh.ts';
import { RetryAfterError } from './backoff.ts';
import { failureCode } from './job-failure.ts';

/**
 * How long one refusal may hold up the other credentials of an integration, in milliseconds: no longer than the lead, or
 * their tokens would expire meanwhile. Providers throttle single users as well; if all are meant, the next one is told so again.
 */
const maxThrottleMs = 5 * 60_000;

export interface RefreshJobDeps {
  engine: RefreshEngine;
  log: Logger;
  metrics: RefreshMetrics;
}

/**
 * Runs one refresh job. What it returns and throws lands in Redis and on the board: ids, times and codes, nothing else.
 */
export async function runRefreshJob(deps: RefreshJobDeps, job: RefreshJob, token: string): Promise<object> {
  const { engine, log, metrics } = deps;
  const started = engine.monotonic();
  const outcome = await attempt(deps, job);
  metrics.refreshes.inc({ integration: job.data.integration, outcome: outcome.kind });
  metrics.refreshDuration.observe(
    { integration: job.data.integration },
    (engine.monotonic() - started) / 1000,
  );
  if (outcome.kind === 'refreshed' && outcome.remainingLifeMs !== undefined)
    metrics.remainingLife.observe({ integration: job.data.integration }, outcome.remainingLifeMs / 1000);
  const level = outcome.kind === 'needs_reauth' || outcome.kind === 'retry' ? 'warn' : 'info';
  log[level]({ ...job.data, outcome, attemptsMade: job.attemptsMade }, 'refresh');

  switch (outcome.kind) {
    case 'refreshed':
      return { revision: outcome.revision, expiresAt: outcome.expiresAt };
    case 'superseded':
      return { superseded: true };
    case 'needs_reauth':
      throw new UnrecoverableError(outcome.reason);
    case 'held':
      return postpone(job, token, outcome.until);
    case 'retry':
      return retryLater(deps, job, outcome);
  }
}

/** An error before anything was sent (Vault away, say) is one more reason to try again later. */
async function attempt({ engine, log }: RefreshJobDeps, job: RefreshJob): Promise<RefreshOutcome> {
  try {
    return await refreshCredential(engine, job.data);
  } catch (error) {
    const reason = failureCode(error);
    if (reason === 'internal_error') log.error({ ...job.data, err: error }, 'refresh broke');
    return { kind: 'retry', reason };
  }
}

async function retryLater(
  { engine }: RefreshJobDeps,
  job: RefreshJob,
  { reason, notBefore, isThrottled }: Extract<RefreshOutcome, { kind: 'retry' }>,
): Promise<never> {
  const waitMs = notBefore === undefined ? 0 : Math.max(0, notBefore - engine.now());
  if (notBefore !== undefined && waitMs > 0) await job.updateData({ ...job.data, notBefore });
  if (isThrottled === true && waitMs > 0)
    await engine.queues.throttle(job.data.integration, Math.min(waitMs, maxThrottleMs));
  const retryCount = job.attemptsMade + 1;
  await engine.announce({ type: 'refresh-retry', ...job.data, error: reason, retryCount });
  throw new RetryAfterError(reason, waitMs);
}

/** Moves the job to later without counting a failure. */
async function postpone(job: RefreshJob, token: string, until: number): Promise<never> {
  await job.moveToDelayed(until, token);
  throw new DelayedError();
}
