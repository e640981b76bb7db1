import { randomUUID } from 'node:crypto';
import { isVoid, passDue } from './pass-due.ts';
import { PassLeft, PassRun, type SweepDeps } from './pass-run.ts';
import { removeOrphans } from './remove-orphans.ts';
import { reportPass } from './report-pass.ts';
import { handOutTenants, untilSwept } from './tenants.ts';

/** Holds one job at most: the pass that is due or under way. */
export const passQueueName = 'sweep';

/**
 * Leads a pass: through all tenants in their order, each a job for any worker, then through the jobs whose credential may
 * be gone. Only a pass that came to its end becomes the epoch.
 *
 * @throws VaultError; then the pass goes on from its position when it is asked for again
 */
export async function runPass(deps: SweepDeps): Promise<object> {
  const run = await takeUp(deps);
  if (run === undefined) return { outcome: 'not_due' };
  try {
    await handOutTenants(run);
    await untilSwept(run);
    // After a wipe there are none, and what is missing cannot wait.
    if (run.pass.speed === 'trickle') await removeOrphans(run);
    const ended = { ...(await run.advance()), endedAt: deps.engine.now() };
    if (!(await deps.passes.end(run.id, ended.endedAt))) throw new PassLeft();
    await reportPass(deps, ended);
    return { outcome: 'completed' };
  } catch (error) {
    if (error instanceof PassLeft) return { outcome: 'left' };
    throw error;
  }
}

/** Goes on with the pass under way, or begins one if that is still due. */
async function takeUp(deps: SweepDeps): Promise<PassRun | undefined> {
  const { engine, passes, sweepIntervalMs } = deps;
  const known = await passes.look();
  const id = randomUUID();
  if (known.current !== undefined && !isVoid(known)) {
    const pass = await passes.takeOver(id, known.current.id);
    return pass && new PassRun(deps, id, pass);
  }
  const begunAt = engine.now();
  const speed = passDue(known, begunAt, sweepIntervalMs);
  if (speed === undefined) return undefined;
  const pass = await passes.begin(id, { id: randomUUID(), speed, begunAt, life: known.life });
  return new PassRun(deps, id, pass);
}
