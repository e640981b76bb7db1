import type { TokenCall } from './ledger.ts';
import type { FaultKind } from './schedule.ts';

/** What nobody planned: the machine was so busy, or asleep, that nothing went on here. */
export const machineStall = 'machine-stall';

/** A fault as it happened. Times in milliseconds since the epoch; without an end it goes on. */
export interface FaultRecord {
  kind: FaultKind | typeof machineStall;
  /** Which process it broke, if it was a worker's; as in the ledger. */
  victim?: string;
  from: number;
  until?: number;
}

/** One version of a credential's document in Vault, without its tokens. */
export interface StoredVersion {
  version: number;
  /** Milliseconds since the epoch. */
  at: number;
  revision: string;
  status: string;
  statusReason?: string;
  attempt?: { id: string; sentAt: string; deadline: string };
}

/** A refused refresh token, and all that could explain it. */
export interface LossCase {
  /** The request that had spent the token; absent if none is known. */
  spend: TokenCall | undefined;
  refused: TokenCall;
  history: StoredVersion[];
  faults: FaultRecord[];
}

/**
 * `response_lost`: the answer was cut off or came after the deadline, or the worker was killed or stopped beyond it before
 * it could save;
 * `spool_lost`: it had the time to put the tokens into the spool, but Vault was down, Redis lost the spool and the worker
 * died; `unexplained`: a defect.
 */
type LossLabel = 'response_lost' | 'spool_lost' | 'unexplained';

export interface Explanation {
  label: LossLabel;
  because: string;
}

/** How long a worker that runs may take from the answer until the tokens are in Vault or in the spool, in milliseconds. */
const saveMs = 2_000;

export function explainLoss({ spend, refused, history, faults }: LossCase): Explanation {
  if (spend === undefined) return unexplained('nobody is known to have spent the refused token');
  const claimed = versionAt(history, spend.at);
  const again = versionAt(history, refused.at);
  if (claimed?.attempt === undefined || again === undefined)
    return unexplained('the attempt that spent the token is not in the history of the document');
  if (claimed.revision !== again.revision) return unexplained('the spent token was no longer the stored one');
  const deadline = Date.parse(claimed.attempt.deadline);
  if (refused.at < deadline) return unexplained('the first attempt still held its claim');

  if (spend.fault === 'response-cut') return { label: 'response_lost', because: 'the response was cut' };
  const own = faults.filter(({ victim }) => victim === spend.worker);
  // Its request may have been on the way still.
  const death = own.find(({ kind, from }) => kind === 'worker-kill' && from <= refused.at);
  if (death !== undefined && hadTimeToSave(spend, own, death.from))
    return explainSpool(spend, refused, faults);
  if (death !== undefined)
    return { label: 'response_lost', because: 'the worker was killed before it could save' };
  const frozen = own.find(
    ({ kind, from, until = Infinity }) => kind !== 'worker-kill' && from <= refused.at && until > deadline,
  );
  if (frozen !== undefined)
    return { label: 'response_lost', because: 'the worker was stopped beyond its deadline' };
  if ((spend.answeredAt ?? spend.closedAt ?? 0) > deadline)
    return { label: 'response_lost', because: 'the provider was slower than the deadline' };
  return unexplained('the worker that spent the token was alive and within its deadline');
}

/** What it received is in nobody's memory any more: it should have been in the spool. */
function explainSpool(spend: TokenCall, refused: TokenCall, faults: FaultRecord[]): Explanation {
  const meanwhile = (prefix: string) =>
    faults.some(
      ({ kind, from, until = Infinity }) =>
        kind.startsWith(prefix) && from <= refused.at && until >= (spend.answeredAt ?? spend.at),
    );
  if (meanwhile('vault-') && meanwhile('redis-'))
    return { label: 'spool_lost', because: 'Vault was down, Redis lost the spool and the worker was killed' };
  return unexplained('the worker was killed, but had the time to save or spool what it received');
}

/** Whether the worker ran for long enough between the answer and its death. */
function hadTimeToSave({ answeredAt }: TokenCall, own: FaultRecord[], diedAt: number): boolean {
  if (answeredAt === undefined) return false;
  const stoppedMs = own
    .filter(({ kind }) => kind !== 'worker-kill')
    .map(({ from, until = Infinity }) => Math.min(until, diedAt) - Math.max(from, answeredAt))
    .filter((ms) => ms > 0)
    .reduce((sum, ms) => sum + ms, 0);
  return diedAt - answeredAt - stoppedMs > saveMs;
}

function versionAt(history: StoredVersion[], at: number): StoredVersion | undefined {
  return history.findLast((version) => version.at <= at);
}

function unexplained(because: string): Explanation {
  return { label: 'unexplained', because };
}
