import type { Revocation } from '@connectors/oauth';
import {
  StoredDocumentError,
  VaultError,
  type CredentialId,
  type StoredCredential,
} from '@connectors/vault-core';
import type { RefreshEngine } from './engine.ts';
import { revoke } from './revoke.ts';

export interface Disconnection {
  /** Whether there was a credential. */
  existed: boolean;
  /** What the provider said to the end of its tokens; absent if there were none to end. */
  revocation?: Revocation;
}

/**
 * Ends a connection: its tokens at the provider first, for once they are deleted nobody could, then every stored version, then its
 * job. A provider that cannot be reached does not keep the credential alive here. May be repeated.
 *
 * @throws VaultError: then the credential may still be there
 */
export async function disconnect(engine: RefreshEngine, id: CredentialId): Promise<Disconnection> {
  const stored = await read(engine, id);
  const first = stored && (await revokeStored(engine, id, stored));
  // Before the deletion: who repeats one that broke off cannot know the revision any more.
  if (stored !== undefined) await removeJob(engine, id, stored.metadata.revision);
  const deleted = await engine.credentials.delete(id);
  const last = deleted?.credential;
  // A refresh came in between: what it stored is still alive at the provider.
  const isOther = last !== undefined && last.metadata.revision !== stored?.metadata.revision;
  const revocation = isOther ? await revokeStored(engine, id, last) : first;
  if (last !== undefined) await forget(engine, id, last.metadata.revision);
  return { existed: deleted !== undefined, ...(revocation === undefined ? {} : { revocation }) };
}

/** A document that nobody can read has no tokens that could be ended, but can be deleted. */
async function read(engine: RefreshEngine, id: CredentialId): Promise<StoredCredential | undefined> {
  try {
    return (await engine.credentials.find(id))?.credential;
  } catch (error) {
    if (error instanceof StoredDocumentError) return undefined;
    throw error;
  }
}

async function revokeStored(
  engine: RefreshEngine,
  id: CredentialId,
  credential: StoredCredential,
): Promise<Revocation> {
  const tokens = await decrypt(engine, id, credential);
  return tokens === undefined ? { kind: 'failed', reason: 'unreadable' } : revoke(engine, id, tokens);
}

/** Without the tenant's key, or with ciphertexts that are none, there is nothing left that could be ended. */
async function decrypt(engine: RefreshEngine, id: CredentialId, credential: StoredCredential) {
  try {
    const [accessToken, refreshToken] = await Promise.all([
      engine.credentials.decryptAccessToken(id, credential),
      engine.credentials.decryptRefreshToken(id, credential),
    ]);
    return { accessToken, refreshToken, fields: credential.metadata.fields ?? {} };
  } catch (error) {
    const isGone = error instanceof VaultError && ['key_not_found', 'rejected'].includes(error.reason);
    if (isGone) return undefined;
    throw error;
  }
}

async function forget(engine: RefreshEngine, id: CredentialId, revision: string): Promise<void> {
  const { tenantId, integration } = id;
  await removeJob(engine, id, revision);
  await engine.announce({ type: 'credential-deleted', tenantId, integration, revision });
}

/** Without Redis the job finds out by itself that its credential is gone. */
async function removeJob(
  { queues }: RefreshEngine,
  { tenantId, integration }: CredentialId,
  revision: string,
): Promise<void> {
  await queues.remove({ tenantId, integration, revision }).catch(() => undefined);
}
