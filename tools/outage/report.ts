import type { AgentRequest } from '../chaos/agents.ts';

/** What agents met during an outage, or between two. */
export interface Phase {
  name: string;
  /** The code of a problem that is expected. */
  allowed?: string | undefined;
  requests: AgentRequest[];
  /** Of MCP, which is served by another upstream. */
  mcpResults: string[];
  /** What the proxies said of themselves. */
  readiness: string[];
  /** What a request was answered whose token the upstream refuses, so that it needs a refresh. */
  refused?: string | undefined;
}

/** No answer may take longer, in milliseconds: whoever waits for what is down must give up before agents do. */
const longestMs = 5_000;

export function report(phases: readonly Phase[]): string {
  const rows = phases.map((phase) => [
    phase.name,
    String(phase.requests.length),
    tally(phase.requests.map(({ result }) => result)),
    tally(phase.mcpResults),
    `${percentile(phase, 0.5)} / ${percentile(phase, 0.99)} / ${percentile(phase, 1)}`,
    phase.refused ?? '',
    tally(phase.readiness),
  ]);
  const titles = ['', 'requests', 'REST', 'MCP', 'ms p50 / p99 / max', 'needs a refresh', '/readyz'];
  const all = [titles, ...rows];
  const widths = titles.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n');
}

/** What broke the promise; none is good. */
export function offencesOf(phases: readonly Phase[]): string[] {
  return phases.flatMap((phase) => {
    const { name, allowed, requests, mcpResults, refused } = phase;
    const failed = requests.filter(({ result }) => result !== allowed && result !== 'ok');
    const slowest = percentile(phase, 1);
    return [
      requests.length === 0 ? `${name}: there was no request` : [],
      failed.length > 0 ? `${name}: ${tally(failed.map(({ result }) => result))}` : [],
      mcpResults.some((result) => result !== 'ok') ? `${name}: MCP: ${tally(mcpResults)}` : [],
      slowest > longestMs ? `${name}: an answer took ${slowest} ms` : [],
      refused !== undefined && !/^503 .*, Retry-After \d+$/.test(refused) ? `${name}: ${refused}` : [],
    ].flat();
  });
}

function tally(results: readonly string[]): string {
  const counts = Map.groupBy(results, (result) => result);
  return [...counts].map(([result, { length }]) => `${length} ${result}`).join(', ');
}

function percentile({ requests }: Phase, share: number): number {
  const times = requests.map(({ from, until }) => until - from).sort((a, b) => a - b);
  return times[Math.max(0, Math.ceil(times.length * share) - 1)] ?? 0;
}
