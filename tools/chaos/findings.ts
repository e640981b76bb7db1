import type { AgentRequest } from './agents.ts';
import type { Arguments } from './arguments.ts';
import type { Explanation, FaultRecord } from './explain.ts';
import type { TokenCall } from './ledger.ts';
import type { ExplainedLoss } from './losses.ts';
import { isInWindow, type Sample } from './recovery.ts';

/** Everything that a run has brought to light. */
export interface Findings {
  arguments: Arguments;
  requests: AgentRequest[];
  faults: FaultRecord[];
  samples: Sample[];
  refreshes: number;
  respends: TokenCall[];
  losses: ExplainedLoss[];
  /** Processes that ended by themselves. */
  crashes: string[];
  /** What is wrong with what is stored in the end. */
  stored: string[];
}

/**
 * When a request failed: in the time around a fault, while the tenant's grant was lost and its user not back yet, or
 * outside of both.
 */
export type When = 'inside' | 'lost' | 'outside';

export function failuresOf(findings: Pick<Findings, 'requests'>): AgentRequest[] {
  return findings.requests.filter(({ result }) => result !== 'ok');
}

export function whenFailed(request: AgentRequest, { losses, faults }: Findings): When {
  const isLost = losses.some(
    ({ tenantId, from, until = Infinity }) =>
      tenantId === request.tenantId && request.until >= from && request.from <= until,
  );
  if (isLost) return 'lost';
  return isInWindow(request, faults) ? 'inside' : 'outside';
}

/** The cases in which the system has broken its word, each with what is known about it. Empty if it has not. */
export function offencesOf(findings: Findings): string[] {
  const failures = failuresOf(findings).filter((request) => whenFailed(request, findings) === 'outside');
  return [
    ...findings.losses.filter((loss) => labelOf(loss) === 'unexplained').map(describeLoss),
    ...failures.map(
      ({ tenantId, from, until, result }) =>
        `a request failed outside every window: ${tenantId}, ${result}, ${time(from)} to ${time(until)}`,
    ),
    ...findings.stored,
    ...findings.crashes,
    ...idleness(findings),
  ];
}

/** A run in which nothing happens shows nothing. */
function idleness({ requests, refreshes, arguments: { tenants } }: Findings): string[] {
  const served = requests.filter(({ result }) => result === 'ok').length;
  return [
    ...(served < tenants ? [`only ${served} requests were served`] : []),
    ...(refreshes < tenants ? [`only ${refreshes} tokens were refreshed`] : []),
  ];
}

/** Without an explanation there is no excuse. */
export function labelOf({ explanation }: ExplainedLoss): Explanation['label'] {
  return explanation?.label ?? 'unexplained';
}

function describeLoss({
  tenantId,
  explanation,
  spend,
  refused,
  history,
  productSays,
  until,
}: ExplainedLoss): string {
  const versions = history.map(
    ({ version, at, revision, status, statusReason = '', attempt }) =>
      `    version ${version} at ${time(at)}: revision ${revision}, ${status} ${statusReason}` +
      (attempt === undefined ? '' : `, attempt ${JSON.stringify(attempt)}`),
  );
  return [
    `a grant was lost, or a refresh token spent twice, without an excuse: ${tenantId}: ${explanation?.because}`,
    `    spent: ${describeCall(spend)}`,
    `    refused: ${describeCall(refused)}`,
    `    the product says ${productSays ?? 'nothing'}; the user was back at ${time(until)}`,
    ...versions,
  ].join('\n');
}

function describeCall(call: TokenCall | undefined): string {
  if (call === undefined) return 'never';
  const { at, worker, token, fault, status, answeredAt } = call;
  return `token ${token} by ${worker} at ${time(at)}, ${fault ?? 'no fault'}, status ${status}, answered at ${time(answeredAt)}`;
}

function time(at: number | undefined): string {
  return at === undefined ? '—' : new Date(at).toISOString().slice(11);
}
