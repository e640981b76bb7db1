import { median } from '../quantiles.ts';
import type { LoadResult } from './load.ts';

export interface Result extends LoadResult {
  /** CPU time for 10,000 requests, in milliseconds. */
  cpuMs: number;
}

/** Results by the name of the variant. */
export type Round = Record<string, Result>;

export function row(round: number, name: string, { perSecond, p50Ms, p99Ms, cpuMs }: Result): string {
  const cells = [
    perSecond.toFixed(0).padStart(8),
    `${p50Ms.toFixed(2)} ms`.padStart(9),
    `${p99Ms.toFixed(2)} ms`.padStart(10),
    `${cpuMs.toFixed(0)} ms`.padStart(9),
  ];
  return `${String(round).padStart(3)}  ${name.padEnd(20)}${cells.join('  ')}`;
}

/** What is compared, the least that is allowed, and what is aimed at. */
const comparisons = [
  { of: 'ours', to: 'reply-from', least: 1.1, aim: 1.5 },
  { of: 'ours', to: 'node:http + undici', least: 0.7, aim: 0.9 },
  { of: 'ours with log', to: 'reply-from', least: 0.9, aim: 1.3 },
];

/** The medians over all rounds; what is compared is compared round by round, for the machine may be busier in one. */
export function report(rounds: readonly Round[]): string {
  const names = Object.keys(rounds[0] ?? {});
  const header = ['', 'requests/s', 'of nginx', 'p50', 'p99', 'CPU per 10,000'];
  const rows = names.map((name) => [
    name,
    over(rounds, (round) => round[name]?.perSecond).toFixed(0),
    ratio(rounds, name, 'nginx').toFixed(2),
    `${over(rounds, (round) => round[name]?.p50Ms).toFixed(2)} ms`,
    `${over(rounds, (round) => round[name]?.p99Ms).toFixed(2)} ms`,
    `${over(rounds, (round) => round[name]?.cpuMs).toFixed(0)} ms`,
  ]);
  const table = [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return `\nMedians of ${rounds.length} rounds:\n\n${table.join('\n')}\n`;
}

/** Says how the comparisons came out, and whether all are good enough. */
export function judge(rounds: readonly Round[]): boolean {
  return comparisons
    .filter(({ of, to }) => rounds[0]?.[of] !== undefined && rounds[0]?.[to] !== undefined)
    .map(({ of, to, least, aim }) => {
      const reached = ratio(rounds, of, to);
      const verdict =
        reached >= aim
          ? 'as aimed at'
          : reached >= least
            ? `aimed at ${aim}`
            : `too little: ${least} is required`;
      console.log(`${of} / ${to}: ${reached.toFixed(2)}, ${verdict}`);
      return reached >= least;
    })
    .every(Boolean);
}

function ratio(rounds: readonly Round[], of: string, to: string): number {
  return over(rounds, (round) => (round[of]?.perSecond ?? NaN) / (round[to]?.perSecond ?? NaN));
}

function over(rounds: readonly Round[], value: (round: Round) => number | undefined): number {
  return median(rounds.map((round) => value(round) ?? NaN));
}
