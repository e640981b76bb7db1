import {
  revokeToken,
  TokenRequestError,
  type Revocation,
  type RevocationRequest,
  type TokenSet,
} from '@connectors/oauth';
import type { CredentialId } from '@connectors/vault-core';
import type { RefreshEngine } from './engine.ts';

/** Milliseconds for a provider to end a token; nobody should wait longer to be rid of a connection. */
const timeoutMs = 10_000;

/**
 * Ends tokens at the provider that are stored nowhere, because their credential was deleted or connected anew while they
 * were on their way. One try: they are known to nobody else.
 */
export async function revokeUnused(
  engine: RefreshEngine,
  id: CredentialId,
  tokens: TokenSet,
  because: 'deleted' | 'replaced',
): Promise<void> {
  const ends = engine.integrations.get(id.integration)?.provider.revocationEnds;
  // The user has just come back: where a revocation ends the whole grant, it would end the new connection as well.
  if (because === 'replaced' && ends === 'grant') return;
  await revoke(engine, id, tokens);
}

type Tokens = Pick<RevocationRequest, 'accessToken' | 'refreshToken' | 'fields'>;

/** Ends tokens at their provider: the refresh token if there is one, and with it what was issued for it. */
export async function revoke(engine: RefreshEngine, id: CredentialId, tokens: Tokens): Promise<Revocation> {
  const { accessToken, refreshToken, fields = {} } = tokens;
  const revocation = await ask(engine, id, { accessToken, refreshToken, fields });
  if (revocation.kind === 'failed') engine.onUnrevoked(id, revocation.reason);
  return revocation;
}

async function ask(
  engine: RefreshEngine,
  { integration: name }: CredentialId,
  what: Tokens,
): Promise<Revocation> {
  const { guard, now } = engine;
  const integration = engine.integrations.get(name);
  if (integration === undefined) return { kind: 'unsupported' };
  try {
    const ready = await engine.discovery.complete(integration);
    return await revokeToken({ integration: ready, ...what, guard, now, timeoutMs });
  } catch (error) {
    if (error instanceof TokenRequestError) return { kind: 'failed', reason: error.code };
    throw error;
  }
}
