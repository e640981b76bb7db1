import type { RefreshEngine } from './engine.ts';
import { refreshDueAt } from './schedule.ts';

/** What one sweep of a tenant found. */
export interface SweepReport {
  credentials: number;
  /** Jobs that had failed for good although the credential lives. */
  revived: number;
}

/**
 * Rebuilds the schedule of a tenant from Vault: Redis may have lost every job. Adding a job that exists changes
 * nothing, so a sweep may run at any time, any number of times, on any worker.
 */
export async function sweepTenant(engine: RefreshEngine, tenantId: string): Promise<SweepReport> {
  const report: SweepReport = { credentials: 0, revived: 0 };
  for (const integration of await engine.credentials.listIntegrations(tenantId)) {
    const id = { tenantId, integration };
    const record = await engine.credentials.find(id);
    if (record === undefined) continue;
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
