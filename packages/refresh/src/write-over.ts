import {
  VaultError,
  type CredentialId,
  type CredentialRecord,
  type StoredCredential,
} from '@connectors/vault-core';
import type { RefreshEngine } from './engine.ts';

/** What became of a write. */
export type Written =
  | ({ kind: 'written' } & CredentialRecord)
  /** The change was not wanted on what is stored now. */
  | { kind: 'declined' }
  | { kind: 'deleted' }
  /** Other tokens are stored now: by the user who came back, or by another worker that had the same ones from the spool. */
  | { kind: 'replaced'; isReconnect: boolean };

/**
 * Writes the result of an attempt over the state of the credential whose refresh token it spent.
 *
 * Other writers may have changed the document meanwhile without touching its tokens: then the change is made again on
 * top of theirs, for a rotation that is not stored is a user who has to log in again. Only another revision (a
 * reconnect) or a deletion wins over it. Which is newer is told by lineage, never by `expiresAt`.
 *
 * @param change makes the new document from the stored one; `undefined` leaves that as it is
 */
export async function writeOverSpent(
  engine: RefreshEngine,
  id: CredentialId,
  record: CredentialRecord,
  change: (stored: StoredCredential) => StoredCredential | undefined,
): Promise<Written> {
  const spent = record.credential.metadata.revision;
  const connectedAt = record.credential.metadata.createdAt;
  let stored: CredentialRecord | undefined = record;
  while (stored?.credential.metadata.revision === spent) {
    const changed = change(stored.credential);
    if (changed === undefined) return { kind: 'declined' };
    try {
      const version = await engine.credentials.write(id, changed, stored.version);
      return { kind: 'written', ...stored, credential: changed, version };
    } catch (error) {
      if (!(error instanceof VaultError && error.reason === 'cas_mismatch')) throw error;
    }
    stored = await engine.credentials.find(id);
    // The answer to our own write was lost, the write was not.
    if (
      stored?.credential.metadata.revision === changed.metadata.revision &&
      changed.metadata.revision !== spent
    )
      return { kind: 'written', ...stored, credential: changed };
  }
  return stored === undefined
    ? { kind: 'deleted' }
    : { kind: 'replaced', isReconnect: stored.credential.metadata.createdAt !== connectedAt };
}
