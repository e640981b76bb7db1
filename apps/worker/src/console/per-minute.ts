import type { Metrics } from 'bullmq';

const minuteMs = 60_000;

/**
 * How many jobs ended in each of the last minutes, the current one last. BullMQ writes a minute down when the next job
 * after it ends, so that what it has lies as far back as that.
 */
export function perMinute(
  { meta, data }: Pick<Metrics, 'meta' | 'data'>,
  now: number,
  minutes: number,
): number[] {
  const latest = Math.floor(meta.prevTS / minuteMs);
  const idle = Math.floor(now / minuteMs) - latest;
  const current = meta.count - meta.prevCount;
  const newestFirst = [...Array<number>(Math.min(Math.max(0, idle), minutes)).fill(0), current, ...data];
  return Array.from({ length: minutes }, (_, back) => newestFirst[minutes - 1 - back] ?? 0);
}

/** The same of several queues together. */
export function addUp(rows: readonly (readonly number[])[], minutes: number): number[] {
  return Array.from({ length: minutes }, (_, index) => rows.reduce((sum, row) => sum + (row[index] ?? 0), 0));
}
