import { VaultError, type RefreshJobData } from '@connectors/vault-core';
import type { PassRun } from './pass-run.ts';
import { readCredential } from './sweep-tenant.ts';

/** Those of jobs that nobody is at. */
const states = ['delayed', 'prioritized', 'failed'] as const;

/** A standby of Vault may answer with what was stored a moment ago: its reader must not take a new job for an old one. */
const minAgeMs = 60_000;

/**
 * Takes away the jobs whose credential is gone, or is stored in another revision by now. They would do no harm, only lie
 * there until they are due. Page by page, and each checked in Vault.
 */
export async function removeOrphans(run: PassRun): Promise<void> {
  const { engine } = run.deps;
  const { jobs: last, cursor: lastCursor } = run.pass.position;
  const names = [...engine.integrations.keys()].sort();
  const sets = names.flatMap((integration) =>
    states.map((state) => ({ name: `${integration}/${state}`, integration, state })),
  );
  const from = Math.max(
    0,
    sets.findIndex(({ name }) => name === last),
  );
  for (const { name, integration, state } of sets.slice(from)) {
    let cursor = name === last ? lastCursor : '0';
    do {
      const page = await engine.queues.page(integration, state, cursor);
      await checkJobs(run, page.jobs);
      cursor = page.next;
      await run.advance({ jobs: name, cursor });
    } while (cursor !== '0');
  }
}

async function checkJobs(run: PassRun, jobs: RefreshJobData[]): Promise<void> {
  const { engine, passes, metrics } = run.deps;
  let removed = 0;
  for (const job of jobs) {
    await run.pause(run.pace.book(1));
    if (!(await isOrphan(run, job))) continue;
    const found = await engine.queues.find(job);
    const isOld = found !== undefined && engine.now() - found.timestamp > minAgeMs;
    if (isOld && (await engine.queues.remove(job))) removed += 1;
  }
  metrics.sweepFindings.inc({ finding: 'removed' }, removed);
  await passes.count(run.pass.id, { removed, calls: jobs.length });
}

/** What cannot be read is not known to be gone; but while Vault is away there is no going on. */
async function isOrphan({ deps }: PassRun, job: RefreshJobData): Promise<boolean> {
  try {
    const record = await readCredential(deps.engine, job);
    return record !== 'unreadable' && record?.credential.metadata.revision !== job.revision;
  } catch (error) {
    if (error instanceof VaultError && !error.isTransient) return false;
    throw error;
  }
}
