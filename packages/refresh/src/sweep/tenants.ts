import type { Job } from 'bullmq';
import { batchSize, callsPerTenant } from './pace.ts';
import type { PassRun, SweepDeps } from './pass-run.ts';
import { sweepTenant } from './sweep-tenant.ts';

/** Holds the tenants that a pass has handed to the workers: few at a time, however many there are. */
export const tenantQueueName = 'sweep-tenants';

export interface TenantJobData {
  tenantId: string;
  /** The pass that it counts for. */
  pass: string;
}

const maxPending = 500;
const pollMs = 50;

/** Makes jobs of the tenants, from the position on: as many as there is room for, as fast as the pace allows. */
export async function handOutTenants(run: PassRun): Promise<void> {
  const { pace } = run;
  let { pass } = run;
  const last = pass.position.tenant;
  const { engine, states } = run.deps;
  // A late event may have put one that was offboarded back into the index, where nobody else would find it.
  const known = new Set([...(await engine.credentials.listTenants()), ...(await states.tenants())]);
  const tenants = [...known].sort().filter((tenant) => tenant > last);
  for (let next = 0; next < tenants.length;) {
    const callsEach = callsPerTenant(pass.tally);
    const batch = tenants.slice(next, next + batchSize(pace.callsPerSecond, callsEach));
    while ((await pending(run)) + batch.length > maxPending) await run.pause(pollMs);
    await run.pause(pace.book(batch.length * callsEach));
    await add(run, batch);
    // Noted when it is done: who dies in between has a batch added again, which changes nothing.
    pass = await run.advance({ tenant: batch.at(-1) ?? last });
    next += batch.length;
  }
}

/** Waits until the workers have swept every tenant they were handed, or given it up. */
export async function untilSwept(run: PassRun): Promise<void> {
  while ((await pending(run, 'active')) > 0) await run.pause(pollMs);
}

async function pending({ deps }: PassRun, ...more: 'active'[]): Promise<number> {
  return deps.engine.queues.queue(tenantQueueName).getJobCountByTypes('waiting', 'delayed', ...more);
}

async function add({ deps, pass }: PassRun, tenants: string[]): Promise<void> {
  const opts = {
    // Vault may be away for a moment.
    attempts: 4,
    backoff: { type: 'exponential', delay: 1_000, jitter: 0.5 },
    removeOnComplete: true,
    removeOnFail: true,
  };
  await deps.engine.queues.queue<TenantJobData>(tenantQueueName).addBulk(
    tenants.map((tenantId) => ({
      name: 'tenant',
      data: { tenantId, pass: pass.id },
      opts: { ...opts, jobId: `tenant.${tenantId}` },
    })),
  );
}

/** Sweeps the tenant of one job, and adds what was found to the pass. One that fails does not stop the pass. */
export async function runTenantJob(deps: SweepDeps, job: Job<TenantJobData>): Promise<object> {
  const { engine, passes, metrics, log } = deps;
  const { tenantId, pass } = job.data;
  try {
    const { unreadable, unconfigured, states, ...figures } = await sweepTenant(engine, tenantId);
    await deps.states.replace(tenantId, states);
    const { restored, revived } = figures;
    if (revived > 0) log.warn({ tenantId, ...figures }, 'sweep revived jobs that were over');
    if (unreadable.length > 0) log.error({ tenantId, unreadable }, 'credentials cannot be read');
    metrics.sweepFindings.inc({ finding: 'restored' }, restored);
    metrics.sweepFindings.inc({ finding: 'revived' }, revived);
    metrics.sweepFindings.inc({ finding: 'unreadable' }, unreadable.length);
    await passes.count(pass, { ...figures, tenants: 1, unreadable: unreadable.length }, unconfigured);
    return figures;
  } catch (error) {
    const isLastTry = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
    if (isLastTry) {
      metrics.sweepFindings.inc({ finding: 'failed' });
      await passes.count(pass, { tenants: 1, failed: 1, calls: 1 }).catch(() => undefined);
    }
    throw error;
  }
}
