import { StoredDocumentError, type CredentialId, type CredentialRecord } from '@connectors/vault-core';
import type { RefreshEngine } from './engine.ts';
import { refreshDueAt } from './schedule.ts';

/** What one sweep of a tenant found. */
export interface SweepReport {
  credentials: number;
  /** Jobs that had failed for good although the credential lives. */
  revived: number;
  /** Integrations whose document in Vault cannot be understood. */
  unreadable: string[];
}

/**
 * Rebuilds the schedule of a tenant from Vault: Redis may have lost every job. Adding a job that exists changes
 * nothing, so a sweep may run at any time, any number of times, on any worker.
 */
export async function sweepTenant(engine: RefreshEngine, tenantId: string): Promise<SweepReport> {
  const report: SweepReport = { credentials: 0, revived: 0, unreadable: [] };
  for (const integration of await engine.credentials.listIntegrations(tenantId)) {
    const id = { tenantId, integration };
    const record = await read(engine, id);
    if (record === 'unreadable') report.unreadable.push(integration);
    if (record === undefined || record === 'unreadable') continue;
    report.credentials += 1;
    const due = refreshDueAt(id, record.credential);
    if (due === undefined) continue;
    const isRevived = await engine.queues.restore(
      { ...id, revision: record.credential.metadata.revision },
      due,
      engine.now(),
    );
    if (isRevived) report.revived += 1;
  }
  return report;
}

/** One broken document must not keep the tenant's others from being refreshed. */
async function read(
  engine: RefreshEngine,
  id: CredentialId,
): Promise<CredentialRecord | 'unreadable' | undefined> {
  try {
    return await engine.credentials.find(id);
  } catch (error) {
    if (error instanceof StoredDocumentError) return 'unreadable';
    throw error;
  }
}
