import type { AgentRequest } from './agents.ts';
import type { FaultRecord } from './explain.ts';
import type { Grant } from './ledger.ts';
import { aftermathMs } from './settings.ts';

/** How many credentials were overdue at one time. */
export interface Sample {
  at: number;
  overdue: number;
}

/** A refresh that waits for its turn, and for a provider that takes its time, is not late yet. In milliseconds. */
const toleranceMs = 2_000;

/** The credentials whose refresh should have happened. Lost ones wait for their user instead. */
export function countOverdue(grants: Iterable<Grant>, now: number): number {
  let overdue = 0;
  for (const { dueAt, loss } of grants) if (loss === undefined && now > dueAt + toleranceMs) overdue += 1;
  return overdue;
}

/** Whether a request had to do with a fault: it was under way during one or its aftermath. */
export function isInWindow(request: Pick<AgentRequest, 'from' | 'until'>, faults: FaultRecord[]): boolean {
  return faults.some(
    ({ from, until = Infinity }) => request.until >= from && request.from <= until + aftermathMs,
  );
}

/**
 * How long after the end of a fault credentials were overdue or requests failed, in milliseconds; `undefined` if
 * another fault went on, or came before that was over, so that nobody can tell.
 */
export function recoveryMs(
  fault: FaultRecord,
  faults: FaultRecord[],
  samples: Sample[],
  failures: AgentRequest[],
): number | undefined {
  const { until: end } = fault;
  if (end === undefined) return undefined;
  const isOverlapped = faults.some(
    (other) => other !== fault && other.from <= end && (other.until ?? Infinity) > end,
  );
  if (isOverlapped) return undefined;
  const next = Math.min(...faults.map(({ from }) => from).filter((from) => from > end), Infinity);
  const troubles = [
    ...samples.filter(({ overdue }) => overdue > 0).map(({ at }) => at),
    ...failures.map(({ until }) => until),
  ].filter((at) => at > end && at < next);
  const last = Math.max(end, ...troubles);
  return next - last < toleranceMs ? undefined : last - end;
}
