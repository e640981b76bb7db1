import { setTimeout as delay } from 'node:timers/promises';
import type { CredentialFields, TokenSet } from '@connectors/oauth';
import {
  newRevision,
  type CredentialId,
  type CredentialRecord,
  type RefreshJobData,
  type StoredCredential,
} from '@connectors/vault-core';
import { withoutAttempt } from './claim.ts';
import type { RefreshEngine } from './engine.ts';
import { revokeUnused } from './revoke.ts';
import { writeOverSpent } from './write-over.ts';

/** Short, for the moment Vault is back a worker that finds nothing in the spool would spend the token again. */
const maxPauseMs = 1_000;

/** What became of tokens that a provider has issued. */
export type Landing =
  | { kind: 'stored'; credential: StoredCredential }
  /** A reconnect or a deletion came first, and wins. */
  | { kind: 'superseded' }
  /** They lie in the spool, for whichever worker comes next. */
  | { kind: 'spooled' };

/**
 * Stores what the provider issued. The refresh token before it is spent, so these tokens are all that is left of the
 * user's consent: they lie in the spool until Vault has taken them, and are tried until it does, also after the deadline.
 */
export async function landRotation(
  engine: RefreshEngine,
  job: RefreshJobData,
  record: CredentialRecord,
  issued: TokenSet,
): Promise<Landing> {
  const tokens = withFields(record, issued);
  const land = rotation(engine, job, record, tokens);
  for (let pause = 100; ; pause = Math.min(pause * 2, maxPauseMs)) {
    // Beside asking Vault, which may take its time, or hang while this worker dies; and each time: Redis may have been wiped.
    const kept = engine.spool.put(job, tokens);
    try {
      const landing = await land();
      await engine.spool.remove(job);
      return landing;
    } catch (error) {
      engine.onUnsaved(job, error);
    }
    if ((await kept) && engine.stopping.aborted) return { kind: 'spooled' };
    // Offboarding takes the tenant's keys away: nothing can be encrypted for it any more, nor has to be.
    if (await isDeleted(engine, job)) {
      await engine.spool.remove(job);
      await revokeUnused(engine, job, tokens, 'deleted');
      return { kind: 'superseded' };
    }
    await pauseFor(pause, engine.stopping);
  }
}

/**
 * Stores tokens that an earlier attempt left in the spool. They come before any new attempt: the refresh token that is
 * stored was spent for them.
 *
 * @returns `undefined` if there are none
 * @throws VaultError, and they stay in the spool
 */
export async function landSpooled(
  engine: RefreshEngine,
  job: RefreshJobData,
  record: CredentialRecord,
): Promise<Landing | undefined> {
  const tokens = await engine.spool.get(job);
  if (tokens === undefined) return undefined;
  const landing = await rotation(engine, job, record, withFields(record, tokens))();
  await engine.spool.remove(job);
  return landing;
}

/**
 * Forgets what lies in the spool for a state that is no longer stored. What replaced it may well be these very tokens; only
 * of a credential that is gone is it sure that nobody will use them.
 */
export async function dropSpooled(
  engine: RefreshEngine,
  job: RefreshJobData,
  stored: CredentialRecord | undefined,
): Promise<void> {
  const tokens = stored === undefined ? await engine.spool.get(job) : undefined;
  if (tokens !== undefined) await revokeUnused(engine, job, tokens, 'deleted');
  await engine.spool.remove(job);
}

/** Lands new tokens in the document; safe to repeat, for they are encrypted once. */
function rotation(
  engine: RefreshEngine,
  job: RefreshJobData,
  record: CredentialRecord,
  tokens: TokenSet,
): () => Promise<Landing> {
  let change: ((stored: StoredCredential) => StoredCredential) | undefined;
  return async () => {
    change ??= await encryptTokens(engine, job, tokens, toldAnew(record, tokens));
    const written = await writeOverSpent(engine, job, record, change);
    if (written.kind === 'written') return { kind: 'stored', credential: written.credential };
    if (written.kind === 'deleted' || (written.kind === 'replaced' && written.isReconnect))
      await revokeUnused(engine, job, tokens, written.kind);
    return { kind: 'superseded' };
  };
}

/** Tokens with all that is known of their credential, without which a provider's address may not be. */
function withFields({ credential: { metadata } }: CredentialRecord, tokens: TokenSet): TokenSet {
  const fields = { ...metadata.fields, ...tokens.fields };
  return Object.keys(fields).length === 0 ? tokens : { ...tokens, fields };
}

/** What the provider says otherwise than before. In all else a user may have chosen meanwhile, and that stays. */
function toldAnew(
  { credential: { metadata } }: CredentialRecord,
  { fields = {} }: TokenSet,
): CredentialFields {
  return Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => metadata.fields?.[name] !== value),
  );
}

async function isDeleted(engine: RefreshEngine, id: CredentialId): Promise<boolean> {
  return engine.credentials.find(id).then(
    (record) => record === undefined,
    () => false,
  );
}

async function pauseFor(ms: number, stopping: AbortSignal): Promise<void> {
  // Who is asked to stop tries once more at once, and then as before.
  const options = stopping.aborted ? {} : { signal: stopping };
  await delay(ms, undefined, options).catch(() => undefined);
}

/** Encrypts the tokens once, and answers how they change a document. */
async function encryptTokens(
  engine: RefreshEngine,
  id: CredentialId,
  tokens: TokenSet,
  told: CredentialFields,
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
    // An attempt that came after ours, with the token that we had spent, may have given the credential up.
    const { statusReason: _refused, refreshTokenExpiresAt: formerEnd, ...metadata } = kept.metadata;
    const end =
      tokens.refreshTokenExpiresAt?.toISOString() ?? (refreshToken === undefined ? formerEnd : undefined);
    return {
      ...kept,
      accessToken,
      ...(refreshToken === undefined ? {} : { refreshToken }),
      ...(tokens.expiresAt === undefined ? {} : { expiresAt: tokens.expiresAt.toISOString() }),
      scopes: tokens.scopes ?? stored.scopes,
      tokenType: tokens.tokenType ?? stored.tokenType,
      metadata: {
        ...metadata,
        status: 'active',
        revision,
        tokenIssuedAt: now,
        updatedAt: now,
        refreshCount: stored.metadata.refreshCount + 1,
        ...(Object.keys(told).length === 0 ? {} : { fields: { ...metadata.fields, ...told } }),
        ...(end === undefined ? {} : { refreshTokenExpiresAt: end }),
      },
    };
  };
}
