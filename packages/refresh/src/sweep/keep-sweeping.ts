import type { Redis } from 'ioredis';
import { isVoid, passDue } from './pass-due.ts';
import type { SweepDeps } from './pass-run.ts';
import { showPass } from './report-pass.ts';
import { passQueueName } from './run-pass.ts';

/** A wipe of Redis is noticed within that time, for it closes no connection. */
const lookMs = 2_000;

export interface KeepSweepingDeps extends SweepDeps {
  /** A connection that fails at once without Redis. */
  requests: Redis;
  onRedisError: (error: Error) => void;
}

/** Sees to it that there are sweeps, now, on a timer, and whenever Redis comes back. Every worker does. */
export function keepSweeping(deps: KeepSweepingDeps): { stop(): void } {
  const { requests, sweepIntervalMs } = deps;
  const look = onceAtATime(() => askForPass(deps), deps.onRedisError);
  const hasten = onceAtATime(() => hastenSpooled(deps), deps.onRedisError);
  const begin = (): void => {
    look();
    hasten();
  };
  const timers = [setInterval(look, Math.min(lookMs, sweepIntervalMs)), setInterval(hasten, sweepIntervalMs)];
  requests.on('ready', begin);
  if (requests.status === 'ready') begin();
  return {
    stop() {
      for (const timer of timers) clearInterval(timer);
      requests.off('ready', begin);
    },
  };
}

/**
 * Asks for a pass if one is due, which it is until it was completed: so one that was left is gone on with. However many
 * workers ask, it is one.
 */
export async function askForPass({
  engine,
  passes,
  metrics,
  sweepIntervalMs,
}: Pick<SweepDeps, 'engine' | 'passes' | 'metrics' | 'sweepIntervalMs'>): Promise<void> {
  await engine.queues.scheduleMissed(engine.now());
  const known = await passes.look();
  const { last, current } = known;
  if (last !== undefined) showPass(metrics, last);
  if (current !== undefined && isVoid(known)) await passes.drop(current.id);
  if (passDue(known, engine.now(), sweepIntervalMs) === undefined) return;
  const options = { jobId: 'pass', removeOnComplete: true, removeOnFail: true };
  await engine.queues.queue(passQueueName).add('pass', {}, options);
}

/** What lies in the spool waits for no schedule. */
async function hastenSpooled({ engine }: SweepDeps): Promise<void> {
  for (const spooled of await engine.spool.list()) await engine.queues.hasten(spooled, engine.now());
}

function onceAtATime(task: () => Promise<void>, onError: (error: Error) => void): () => void {
  let isRunning = false;
  return () => {
    if (isRunning) return;
    isRunning = true;
    void task()
      .catch(onError)
      .finally(() => (isRunning = false));
  };
}
