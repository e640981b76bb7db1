import {
  StoredDocumentError,
  type CredentialId,
  type CredentialRecord,
  type RefreshJobData,
} from '@connectors/vault-core';
import type { RefreshEngine } from '../engine.ts';
import { refreshDueAt } from '../schedule.ts';
import { stateAtRest } from '../state-at-rest.ts';
import type { StatesOfTenant } from '../state-index.ts';

/** What one sweep of a tenant found. */
export interface SweepReport {
  credentials: number;
  /** Jobs that were missing. */
  restored: number;
  /** Jobs that were over although the credential lives. */
  revived: number;
  /** Integrations whose document in Vault cannot be understood. */
  unreadable: string[];
  /** Integrations with a credential that this process has no configuration for. */
  unconfigured: string[];
  /** Calls to Vault. */
  calls: number;
  /** What each credential is in. */
  states: StatesOfTenant;
}

/**
 * Rebuilds the schedule of a tenant from Vault: Redis may have lost every job. Adding a job that exists changes
 * nothing, so a sweep may run at any time, any number of times, on any worker.
 */
export async function sweepTenant(engine: RefreshEngine, tenantId: string): Promise<SweepReport> {
  const integrations = await engine.credentials.listIntegrations(tenantId);
  const report: SweepReport = {
    credentials: 0,
    restored: 0,
    revived: 0,
    unreadable: [],
    unconfigured: [],
    calls: 1 + integrations.length,
    states: {},
  };
  for (const integration of integrations) await sweepCredential(engine, { tenantId, integration }, report);
  return report;
}

async function sweepCredential(engine: RefreshEngine, id: CredentialId, report: SweepReport): Promise<void> {
  const record = await readCredential(engine, id);
  if (record === undefined) return;
  if (record === 'unreadable') {
    report.unreadable.push(id.integration);
    report.states[id.integration] = { state: 'needs_reauth', reason: 'unreadable' };
    return;
  }
  report.credentials += 1;
  // Its job is restored all the same: another worker may know the integration already.
  if (!engine.integrations.has(id.integration)) report.unconfigured.push(id.integration);
  report.states[id.integration] = stateAtRest(record.credential, engine.now());
  const due = refreshDueAt(id, record.credential);
  if (due === undefined) return;
  const job = { ...id, revision: record.credential.metadata.revision };
  const outcome = await engine.queues.restore(job, due, engine.now());
  if (outcome === 'restored') report.restored += 1;
  if (outcome === 'failing') {
    const reason = (await engine.queues.find(job))?.failedReason;
    report.states[id.integration] = { state: 'failing', reason };
  }
  // Vault learns first why a job is over, and may have while this one was looking at the job.
  if (outcome !== 'over' || !(await isStillDue(engine, job))) return;
  await engine.queues.revive(job, due, engine.now());
  report.revived += 1;
}

async function isStillDue(engine: RefreshEngine, job: RefreshJobData): Promise<boolean> {
  const record = await readCredential(engine, job);
  if (record === undefined || record === 'unreadable') return false;
  return (
    record.credential.metadata.revision === job.revision && refreshDueAt(job, record.credential) !== undefined
  );
}

/** One broken document must not keep the others from being refreshed. */
export async function readCredential(
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
