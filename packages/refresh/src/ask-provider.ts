import {
  readRequestError,
  readTokenResponse,
  TokenRequestError,
  type ReadyIntegration,
  type TokenFailure,
  type TokenResult,
} from '@connectors/oauth';
import type { Claim } from './claim.ts';
import type { RefreshEngine } from './engine.ts';
import type { TokenSource } from './token-source.ts';

export type Verdict =
  | TokenResult
  /** The request may still be on its way, or its answer lost: until the deadline nobody may send another. */
  | { kind: 'unanswered'; failure: TokenFailure };

/** Asks for new tokens, and with that spends the refresh token, if the claim still leaves time for it. */
export async function askProvider(
  engine: RefreshEngine,
  claim: Claim,
  integration: ReadyIntegration,
  source: TokenSource,
): Promise<Verdict> {
  const maySend = (): boolean => timeLeft(engine, claim) >= engine.limits.requestMs;
  if (!maySend()) return { kind: 'failure', failure: deadlineMissed };
  try {
    const answer = await source({
      integration,
      guard: engine.guard,
      // Nobody else sends before the deadline and the margin for clocks: to give up earlier could only lose an answer.
      timeoutMs: timeLeft(engine, claim) + engine.limits.clockSkewMs,
      maySend,
      now: engine.now,
    });
    return readTokenResponse(integration.provider, answer);
  } catch (error) {
    if (!(error instanceof TokenRequestError)) throw error;
    if (error.code === 'aborted' && error.sent === 'no') return { kind: 'failure', failure: deadlineMissed };
    const failure = readRequestError(integration.provider, error);
    return { kind: error.sent === 'maybe' ? 'unanswered' : 'failure', failure };
  }
}

/**
 * Milliseconds until the claim lapses. A process that was stopped since has lost its right, for another may be spending
 * the token now. Neither clock tells alone: one can be set, the other stands still while a machine sleeps.
 */
function timeLeft(engine: RefreshEngine, { attempt, deadline }: Claim): number {
  return Math.min(deadline - engine.monotonic(), Date.parse(attempt.deadline) - engine.now());
}

const deadlineMissed: TokenFailure = { class: 'transient', reason: 'deadline_missed', mayHaveRotated: false };
