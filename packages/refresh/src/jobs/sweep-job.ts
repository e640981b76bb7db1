import type { RefreshQueues } from '@connectors/vault-core';
import type { Job } from 'bullmq';
import type { Logger } from 'pino';
import type { RefreshEngine } from '../engine.ts';
import type { RefreshMetrics } from '../metrics.ts';
import { sweepTenant } from '../sweep.ts';

export const sweepQueueName = 'sweep';

export interface SweepJobData {
  /** Absent: list the tenants and add a job for each. */
  tenantId?: string;
}

export interface SweepDeps {
  engine: RefreshEngine;
  log: Logger;
  metrics: RefreshMetrics;
}

/**
 * Asks for a sweep, once per interval however many workers ask. The id is made from the clock and nothing is kept in Redis between
 * two sweeps, so that a wiped Redis cannot end them.
 */
export async function requestSweep(queues: RefreshQueues, now: number, intervalMs: number): Promise<void> {
  const slot = Math.floor(now / intervalMs);
  const keep = { age: Math.ceil((2 * intervalMs) / 1000) };
  await queues
    .queue<SweepJobData>(sweepQueueName)
    .add('all', {}, { jobId: `all.${slot}`, removeOnComplete: keep, removeOnFail: keep });
}

/** Splits a sweep into one job per tenant, so that all workers share it; then sweeps tenants. */
export async function runSweepJob(deps: SweepDeps, job: Job<SweepJobData>): Promise<object> {
  const { tenantId } = job.data;
  if (tenantId !== undefined) {
    const report = await sweepTenant(deps.engine, tenantId);
    if (report.revived > 0) deps.log.warn({ tenantId, ...report }, 'sweep revived failed jobs');
    if (report.unreadable.length > 0) deps.log.error({ tenantId, ...report }, 'credentials cannot be read');
    return report;
  }
  const { credentials, queues, spool } = deps.engine;
  // What lies in the spool waits for no schedule.
  for (const spooled of await spool.list()) await queues.hasten(spooled, deps.engine.now());
  const tenants = await credentials.listTenants();
  const done = { removeOnComplete: true, removeOnFail: true };
  await queues.queue<SweepJobData>(sweepQueueName).addBulk(
    tenants.map((tenant) => ({
      name: 'tenant',
      data: { tenantId: tenant },
      opts: { jobId: `tenant.${tenant}`, ...done },
    })),
  );
  deps.metrics.lastSweep.setToCurrentTime();
  deps.log.debug({ tenants: tenants.length }, 'sweep');
  return { tenants: tenants.length };
}
