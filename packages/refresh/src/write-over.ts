import {
  VaultError,
  type CredentialId,
  type CredentialRecord,
  type StoredCredential,
} from '@connectors/vault-core';
import type { RefreshEngine } from './engine.ts';

/**
 * Writes the result of an attempt over the state of the credential whose refresh token it spent.
 *
 * Other writers may have changed the document meanwhile without touching its tokens: then the change is made again on
 * top of theirs, for a rotation that is not stored is a user who has to log in again. Only another revision (a
 * reconnect) or a deletion wins over it. Which is newer is told by lineage, never by `expiresAt`.
 *
 * @param change makes the new document from the stored one; `undefined` leaves that as it is
 * @returns the document as stored; `undefined` if another one won or `change` declined
 */
export async function writeOverSpent(
  engine: RefreshEngine,
  id: CredentialId,
  record: CredentialRecord,
  change: (stored: StoredCredential) => StoredCredential | undefined,
): Promise<StoredCredential | undefined> {
  const spent = record.credential.metadata.revision;
  let stored: CredentialRecord | undefined = record;
  while (stored?.credential.metadata.revision === spent) {
    const changed = change(stored.credential);
    if (changed === undefined) return undefined;
    try {
      await engine.credentials.write(id, changed, stored.version);
      return changed;
    } catch (error) {
      if (!(error instanceof VaultError && error.reason === 'cas_mismatch')) throw error;
    }
    stored = await engine.credentials.find(id);
    // The answer to our own write was lost, the write was not.
    if (
      stored?.credential.metadata.revision === changed.metadata.revision &&
      changed.metadata.revision !== spent
    )
      return changed;
  }
  return undefined;
}
