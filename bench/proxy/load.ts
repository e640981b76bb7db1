import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Launch } from '@connectors/dev-servers';
import { onCore } from './program.ts';

const execute = promisify(execFile);

export interface Load {
  url: string;
  headers: Record<string, string>;
  connections: number;
  seconds: number;
}

export interface LoadResult {
  requests: number;
  perSecond: number;
  /** Milliseconds within which half, and 99 % of the answers came. */
  p50Ms: number;
  p99Ms: number;
}

/** @throws {Error} when a request failed, or was answered with an error */
export async function makeLoad(
  wrk: Launch,
  { url, headers, connections, seconds }: Load,
): Promise<LoadResult> {
  const fields = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const options = [
    '-t',
    '1',
    '-c',
    String(connections),
    '-d',
    `${seconds}s`,
    '--latency',
    '--timeout',
    '20s',
    ...fields,
    url,
  ];
  const { command, args } = onCore('load', { command: wrk.command, args: [...wrk.args, ...options] });
  const { stdout } = await execute(command, args);
  const failures = /Socket errors.*|Non-2xx.*/.exec(stdout);
  if (failures !== null) throw new Error(`${url}: ${failures[0]}`);
  return {
    requests: Number(/(\d+) requests in/.exec(stdout)?.[1]),
    perSecond: Number(/Requests\/sec: +([\d.]+)/.exec(stdout)?.[1]),
    p50Ms: latency(stdout, '50%'),
    p99Ms: latency(stdout, '99%'),
  };
}

const unitMs: Record<string, number> = { us: 0.001, ms: 1, s: 1_000 };

function latency(report: string, percentile: string): number {
  const [, value, unit = ''] = new RegExp(`${percentile} +([\\d.]+)(us|ms|s)`).exec(report) ?? [];
  return Number(value) * (unitMs[unit] ?? NaN);
}
