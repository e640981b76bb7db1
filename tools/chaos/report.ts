import { machineStall } from './explain.ts';
import { failuresOf, labelOf, whenFailed, type Findings, type When } from './findings.ts';
import { recoveryMs } from './recovery.ts';
import { faultKinds } from './schedule.ts';
import { settings } from './settings.ts';

/** The tables at the end of a run. */
export function report(findings: Findings): string {
  const { seconds, seed, tenants } = findings.arguments;
  return [
    `seed ${seed}, ${seconds} s, ${tenants} tenants, access tokens live ${settings.tokenLife} s`,
    ...table(['requests of agents', 'all', 'around a fault', 'grant lost', 'outside'], requestRows(findings)),
    ...table(['refresh tokens', ''], tokenRows(findings)),
    ...table(['fault', 'times', 'measured', 'recovery: median', 'max'], recoveryRows(findings)),
  ].join('\n');
}

type Cell = string | number;

function requestRows(findings: Findings): Cell[][] {
  const { requests } = findings;
  const failures = failuresOf(findings).map(({ result, ...request }) => ({
    result,
    when: whenFailed({ result, ...request }, findings),
  }));
  const results = [...new Set(failures.map(({ result }) => result))].sort();
  const count = (result: string, when: When) =>
    failures.filter((failure) => failure.result === result && failure.when === when).length;
  return [
    ['ok', requests.length - failures.length, '', '', ''],
    ...results.map((result) => {
      const [inside, lost, outside] = (['inside', 'lost', 'outside'] as const).map((when) =>
        count(result, when),
      );
      const all = (inside ?? 0) + (lost ?? 0) + (outside ?? 0);
      return [result, all, inside ?? 0, lost ?? 0, outside ?? 0];
    }),
    ['in all', requests.length, ...sums(failures.map(({ when }) => when))],
  ];
}

function sums(whens: When[]): number[] {
  return (['inside', 'lost', 'outside'] as const).map(
    (wanted) => whens.filter((when) => when === wanted).length,
  );
}

function tokenRows({ refreshes, respends, losses }: Findings): Cell[][] {
  const labelled = (wanted: string) => losses.filter((loss) => labelOf(loss) === wanted);
  const causes = Map.groupBy(labelled('response_lost'), ({ explanation }) => explanation?.because);
  const reasons = Map.groupBy(losses, ({ productSays }) => productSays ?? 'nothing');
  return [
    ['refreshes', refreshes],
    ['presented again after they were spent', respends.length],
    [
      'spent twice by live workers',
      labelled('unexplained').filter(({ spend }) => spend !== undefined).length,
    ],
    ['grants lost: response_lost', labelled('response_lost').length],
    ...[...causes].map(([because, { length }]) => [`    ${because}`, length]),
    ['grants lost: spool_lost', labelled('spool_lost').length],
    ['grants lost: unexplained', labelled('unexplained').length],
    ...[...reasons].map(([reason, { length }]) => [`of the lost, the product says ${reason}`, length]),
  ];
}

function recoveryRows({ faults, samples, requests }: Findings): Cell[][] {
  const failures = failuresOf({ requests });
  const happened = [...faultKinds, machineStall].filter((kind) =>
    faults.some((fault) => fault.kind === kind),
  );
  return happened.map((kind) => {
    const own = faults.filter((fault) => fault.kind === kind);
    const times = own
      .map((fault) => recoveryMs(fault, faults, samples, failures))
      .filter((ms) => ms !== undefined)
      .sort((a, b) => a - b);
    return [kind, own.length, times.length, inSeconds(median(times)), inSeconds(times.at(-1))];
  });
}

function median(sorted: number[]): number | undefined {
  const middle = (sorted.length - 1) / 2;
  const [low, high] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

function inSeconds(ms: number | undefined): string {
  return ms === undefined ? '' : `${(ms / 1000).toFixed(1)} s`;
}

/** As Markdown, and readable as it is. */
function table(head: string[], rows: Cell[][]): string[] {
  const lines = [head, ...rows.map((row) => row.map(String))];
  const widths = head.map((_, column) => Math.max(3, ...lines.map((line) => line[column]?.length ?? 0)));
  const print = (line: string[]) =>
    `| ${widths.map((width, column) => pad(line[column] ?? '', width, column)).join(' | ')} |`;
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return ['', print(head), `| ${rule.join(' | ')} |`, ...lines.slice(1).map(print)];
}

function pad(text: string, width: number, column: number): string {
  return column === 0 ? text.padEnd(width) : text.padStart(width);
}
