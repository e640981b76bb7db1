import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Launch } from '@connectors/dev-servers';

/** Who is measured has a core of its own; whoever makes the load or answers it, the other one. */
export type Core = 'measured' | 'load';

const canPin = availableParallelism() >= 2 && spawnSync('taskset', ['--version']).status === 0;

export function onCore(core: Core, { command, args }: Launch): Launch {
  if (!canPin) return { command, args };
  return { command: 'taskset', args: ['-c', core === 'measured' ? '1' : '0', command, ...args] };
}

export interface Program {
  /** CPU time so far, in seconds. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

export interface ProgramSpec {
  launch: Launch;
  core: Core;
  /** Where its errors go; what it logs goes nowhere, for a disk is not what is measured. */
  output: string;
  env?: Record<string, string>;
  /** What it answers with 200 once it is ready. */
  probe: { url: string; headers?: Record<string, string> };
}

/** @throws {Error} when it does not answer within 30 s */
export async function startProgram(spec: ProgramSpec): Promise<Program> {
  const { command, args } = onCore(spec.core, spec.launch);
  const file = openSync(spec.output, 'a', 0o600);
  const child = spawn(command, args, {
    env: { PATH: process.env['PATH'], ...spec.env },
    stdio: ['ignore', 'ignore', file],
  });
  closeSync(file);
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  void ended.then(() => process.off('exit', kill));
  const giveUpAt = performance.now() + 30_000;
  while (!(await answers(spec.probe))) {
    if (child.exitCode === null && performance.now() < giveUpAt) await delay(50);
    else {
      await stop();
      throw new Error(
        `${command} ${args.join(' ')} does not answer:\n${readFileSync(spec.output, 'utf8').slice(-2_000)}`,
      );
    }
  }
  return { cpuSeconds: () => cpuSecondsOf(child.pid ?? 0), stop };
}

async function answers({ url, headers = {} }: ProgramSpec['probe']): Promise<boolean> {
  try {
    return (await fetch(url, { headers })).status === 200;
  } catch {
    return false;
  }
}

/** Clock ticks are hundredths of a second on every Linux that Node runs on. */
function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const [user = 0, system = 0] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14).map(Number);
  return (user + system) / 100;
}
