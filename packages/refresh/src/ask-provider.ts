import {
  readTokenResponse,
  refreshAccessToken,
  TokenRequestError,
  type Integration,
  type TokenFailure,
  type TokenSet,
} from '@connectors/oauth';
import type { Secret } from '@connectors/vault-core';
import type { Claim } from './claim.ts';
import type { RefreshEngine } from './engine.ts';

export type ProviderAnswer =
  { kind: 'tokens'; tokens: TokenSet } | { kind: 'failure'; failure: TokenFailure };

/** Spends the refresh token, if the claim still leaves time for it. */
export async function askProvider(
  engine: RefreshEngine,
  claim: Claim,
  integration: Integration,
  refreshToken: Secret,
): Promise<ProviderAnswer> {
  // A process that was stopped between claim and sending has lost its right: another may be spending the token now.
  if (engine.monotonic() + engine.limits.requestMs > claim.deadline) return unsent('deadline_missed');
  try {
    const answer = await refreshAccessToken({
      guard: engine.guard,
      integration,
      refreshToken,
      timeoutMs: engine.limits.requestMs,
      now: engine.now,
    });
    return readTokenResponse(integration.provider, answer);
  } catch (error) {
    if (!(error instanceof TokenRequestError)) throw error;
    return error.sent === 'no' ? unsent(error.code) : lost(error.code);
  }
}

function unsent(reason: string): ProviderAnswer {
  return { kind: 'failure', failure: { class: 'transient', reason } };
}

function lost(reason: string): ProviderAnswer {
  return { kind: 'failure', failure: { class: 'lost_response', reason } };
}
