import type { Arguments } from './arguments.ts';
import { failuresOf, whenFailed, type Findings } from './findings.ts';
import type { Progress } from './run.ts';

const plainMs = 10_000;

/** Shows how a run goes: on one line of a terminal, else on a line every ten seconds. */
export function createScreen({ seconds }: Arguments): Progress {
  const isTerminal = process.stdout.isTTY;
  let shownAt = -Infinity;
  return {
    say: (what) => console.log(`${isTerminal ? '\r\x1b[K' : ''}… ${what}`),
    show: (findings, elapsedMs) => {
      if (!isTerminal && elapsedMs - shownAt < plainMs) return;
      shownAt = elapsedMs;
      const line = `${Math.min(seconds, Math.round(elapsedMs / 1000))}/${seconds} s  ${summary(findings)}`;
      if (isTerminal) process.stdout.write(`\r\x1b[K${line.slice(0, process.stdout.columns - 1)}`);
      else console.log(line);
    },
  };
}

function summary(findings: Findings): string {
  const { requests, refreshes, losses, samples, faults } = findings;
  const failures = failuresOf(findings);
  const outside = failures.filter((request) => whenFailed(request, findings) === 'outside').length;
  const now = faults.filter(({ until }) => until === undefined).map(({ kind }) => kind);
  return [
    `${requests.length} requests`,
    `${failures.length} failed (${outside} outside)`,
    `${refreshes} refreshes`,
    `${losses.length} lost (${losses.filter(({ explanation }) => explanation?.label === 'unexplained').length} unexplained)`,
    `${samples.at(-1)?.overdue ?? 0} overdue`,
    ...now,
  ].join(', ');
}
