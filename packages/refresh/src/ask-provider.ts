import {
  readRequestError,
  readTokenResponse,
  refreshAccessToken,
  TokenRequestError,
  type ReadyIntegration,
  type TokenFailure,
  type TokenResult,
} from '@connectors/oauth';
import type { Secret } from '@connectors/vault-core';
import type { Claim } from './claim.ts';
import type { RefreshEngine } from './engine.ts';

export type Verdict =
  | TokenResult
  /** The request may still be on its way, or its answer lost: until the deadline nobody may send another. */
  | { kind: 'unanswered'; failure: TokenFailure };

/** Spends the refresh token, if the claim still leaves time for it. */
export async function askProvider(
  engine: RefreshEngine,
  claim: Claim,
  integration: ReadyIntegration,
  refreshToken: Secret,
): Promise<Verdict> {
  // A process that was stopped since its claim has lost its right: another may be spending the token now.
  if (engine.monotonic() + engine.limits.requestMs > claim.deadline)
    return { kind: 'failure', failure: deadlineMissed };
  try {
    const answer = await refreshAccessToken({
      integration,
      refreshToken,
      guard: engine.guard,
      timeoutMs: engine.limits.requestMs,
      now: engine.now,
    });
    return readTokenResponse(integration.provider, answer);
  } catch (error) {
    if (!(error instanceof TokenRequestError)) throw error;
    const failure = readRequestError(integration.provider, error);
    return { kind: error.sent === 'maybe' ? 'unanswered' : 'failure', failure };
  }
}

const deadlineMissed: TokenFailure = { class: 'transient', reason: 'deadline_missed', mayHaveRotated: false };
