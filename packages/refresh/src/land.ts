import { setTimeout as delay } from 'node:timers/promises';
import type { TokenSet } from '@connectors/oauth';
import { newRevision, type CredentialId, type StoredCredential } from '@connectors/vault-core';
import { withoutAttempt, type Claim } from './claim.ts';
import type { RefreshEngine } from './engine.ts';
import { writeOverSpent } from './write-over.ts';

const maxPauseMs = 5_000;

/**
 * Stores what the provider issued. The refresh token before it is spent, so these tokens are all that is left of the
 * user's consent: they are kept in memory and tried again until Vault takes them, also after the deadline.
 *
 * @returns the stored document; `undefined` if a reconnect or a deletion came first and wins
 */
export async function landRotation(
  engine: RefreshEngine,
  id: CredentialId,
  claim: Claim,
  tokens: TokenSet,
): Promise<StoredCredential | undefined> {
  const onFailure = (error: unknown): void => engine.onUnsaved(id, error);
  const change = await persistently(() => encryptTokens(engine, id, tokens), onFailure);
  return persistently(() => writeOverSpent(engine, id, claim.record, change), onFailure);
}

/** Encrypts the tokens once, and answers how they change a document. */
async function encryptTokens(
  engine: RefreshEngine,
  id: CredentialId,
  tokens: TokenSet,
): Promise<(stored: StoredCredential) => StoredCredential> {
  const [accessToken, refreshToken] = await Promise.all([
    engine.credentials.encrypt(id, 'accessToken', tokens.accessToken),
    // Omitted means kept: most providers that do not rotate send none.
    tokens.refreshToken && engine.credentials.encrypt(id, 'refreshToken', tokens.refreshToken),
  ]);
  const revision = newRevision();
  const now = new Date(engine.now()).toISOString();
  return (stored) => {
    const { expiresAt: _spent, ...kept } = withoutAttempt(stored);
    return {
      ...kept,
      accessToken,
      ...(refreshToken === undefined ? {} : { refreshToken }),
      ...(tokens.expiresAt === undefined ? {} : { expiresAt: tokens.expiresAt.toISOString() }),
      scopes: tokens.scopes ?? stored.scopes,
      tokenType: tokens.tokenType ?? stored.tokenType,
      metadata: {
        ...kept.metadata,
        revision,
        tokenIssuedAt: now,
        updatedAt: now,
        refreshCount: stored.metadata.refreshCount + 1,
      },
    };
  };
}

async function persistently<T>(save: () => Promise<T>, onFailure: (error: unknown) => void): Promise<T> {
  for (let pause = 100; ; pause = Math.min(pause * 2, maxPauseMs)) {
    try {
      return await save();
    } catch (error) {
      onFailure(error);
      await delay(pause);
    }
  }
}
