import type { CredentialId, OAuthCredentials, StoredCredential, VaultClient } from '@connectors/vault-core';
import type { RefreshEngine } from './engine.ts';
import { refreshDueAt } from './schedule.ts';

type Scheduling = Pick<RefreshEngine, 'queues' | 'announce' | 'now'>;

/**
 * Stores what a user just granted, schedules its refresh and tells every proxy.
 *
 * @param createdBy who connected it, as the operator calls them
 *
 * @returns the document as stored
 */
export async function storeGranted(
  vault: VaultClient,
  engine: Scheduling,
  id: CredentialId,
  granted: OAuthCredentials,
  createdBy?: string,
): Promise<StoredCredential> {
  const stored = await vault.storeCredentials(id.tenantId, id.integration, granted, createdBy);
  const dueAt = await scheduleRefresh(engine, id, stored);
  const { revision } = stored.metadata;
  await engine.announce({
    type: 'credential-stored',
    tenantId: id.tenantId,
    integration: id.integration,
    revision,
    ...(dueAt === undefined ? {} : { dueAt }),
  });
  return stored;
}

/**
 * Makes sure that the job of a stored credential exists, if it needs one. Without Redis the sweep does it later: what is
 * stored is never undone for that.
 *
 * @returns when it is due, in ISO 8601; `undefined` if no job was added
 */
export async function scheduleRefresh(
  engine: Pick<Scheduling, 'queues' | 'now'>,
  { tenantId, integration }: CredentialId,
  stored: StoredCredential,
): Promise<string | undefined> {
  const due = refreshDueAt({ tenantId, integration }, stored);
  if (due === undefined) return undefined;
  const data = { tenantId, integration, revision: stored.metadata.revision };
  try {
    await engine.queues.schedule(data, due, engine.now());
  } catch {
    return undefined;
  }
  return new Date(due).toISOString();
}
