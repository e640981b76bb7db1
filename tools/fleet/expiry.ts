import { newRevision, type StoredCredential } from '@connectors/vault-core';
import { integration, type Fleet } from './start-fleet.ts';

/** How long a token lives whose expiry was set, in milliseconds. */
export const lifetimeMs = 3_600_000;

/**
 * Stores a connected tenant's credential as if its token had been issued at another time. Its refresh is not scheduled.
 *
 * @param expiryOf when the token expires, in milliseconds since the epoch; it may depend on the revision that is stored
 */
export async function setExpiry(
  { admin }: Pick<Fleet, 'admin'>,
  tenantId: string,
  expiryOf: (revision: string) => number,
): Promise<StoredCredential> {
  const id = { tenantId, integration };
  const { credential, version } = await admin.credentials.get(id);
  // A new one: the job of the old one has its own time.
  const revision = newRevision();
  const expiresAt = expiryOf(revision);
  const tokenIssuedAt = new Date(expiresAt - lifetimeMs).toISOString();
  const moved: StoredCredential = {
    ...credential,
    expiresAt: new Date(expiresAt).toISOString(),
    metadata: { ...credential.metadata, revision, tokenIssuedAt },
  };
  await admin.credentials.write(id, moved, version);
  return moved;
}
