import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { live, progress } from './screen.ts';
import { logDir } from './state.ts';

const root = join(import.meta.dirname, '../..');

/** How long a process may take to end by itself, in milliseconds. */
const patienceMs = 25_000;
const restartMs = 5_000;
const pollMs = 100;

export interface ChildSpec {
  name: string;
  /** From the repository's root. */
  module: string;
  args?: string[];
  env?: Record<string, string>;
  /** Called with every line of its standard output. */
  onLine?: (line: string) => void;
}

/** A part of the system that can be stopped. */
export interface Running {
  name: string;
  stop(): Promise<void>;
}

interface Child {
  process: ChildProcess;
  /** Resolves when it has ended, with how. */
  ended: Promise<string>;
}

/**
 * Starts a program, waits until `readyUrl` answers, and starts it again whenever it ends by itself.
 *
 * @throws {Error} with its last words, if it ends before it is ready
 */
export async function keepRunning(spec: ChildSpec, readyUrl: string): Promise<Running> {
  let child = startChild(spec);
  let isStopping = false;
  await ready(spec, child, readyUrl);
  void (async () => {
    for (;;) {
      const how = await child.ended;
      if (isStopping) return;
      live(`${spec.name} ended`, `${how}; starting it again in ${restartMs / 1000} s, see ${logFile(spec)}`);
      await delay(restartMs, undefined, { ref: false });
      if (isStopping) return;
      child = startChild(spec);
    }
  })();
  return {
    name: spec.name,
    stop: () => {
      isStopping = true;
      return stop(child);
    },
  };
}

async function ready(spec: ChildSpec, child: Child, url: string): Promise<void> {
  let how: string | undefined;
  void child.ended.then((ended) => (how = ended));
  for (let waited = 0; !(await answers(url)); waited += pollMs) {
    if (how !== undefined) throw new Error(`${spec.name} ended at start (${how}):\n${lastWords(spec)}`);
    if (waited > 0 && waited % 5_000 === 0) progress(`waiting for ${spec.name} at ${url}`);
    if (waited >= 60_000) throw new Error(`${spec.name} does not answer at ${url}:\n${lastWords(spec)}`);
    await delay(pollMs);
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

function logFile({ name }: ChildSpec): string {
  return join(logDir, `${name}.log`);
}

function lastWords(spec: ChildSpec): string {
  return readFileSync(logFile(spec), 'utf8').trimEnd().split('\n').slice(-5).join('\n');
}

/** Its output goes to a log file; it ends when we end, however we end, for it listens to the channel between us. */
function startChild(spec: ChildSpec): Child {
  const child = fork(join(root, spec.module), spec.args ?? [], {
    // Not this shell's whole environment: a stray VAULT_TOKEN or proxy setting must not reach the apps.
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...spec.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Ctrl-C reaches every process of the terminal's group, but ours have to end in order: see stopAll.
    detached: true,
  });
  const log = createWriteStream(logFile(spec), { flags: 'a', mode: 0o600 });
  for (const stream of [child.stdout, child.stderr]) stream?.pipe(log, { end: false });
  if (child.stdout !== null)
    createInterface({ input: child.stdout }).on('line', (line) => spec.onLine?.(line));
  const ended = once(child, 'exit').then(([code, signal]) => String(signal ?? `exit code ${code}`));
  return { process: child, ended };
}

async function stop({ process: child, ended }: Child): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const impatience = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await ended;
  clearTimeout(impatience);
}
