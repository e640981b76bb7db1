import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Part } from './keep-running.ts';
import { progress } from './screen.ts';
import { logDir } from './state.ts';

const root = join(import.meta.dirname, '../..');

/** How long a process may take to end by itself, in milliseconds. */
const patienceMs = 25_000;
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

interface Child extends Part {
  /** The last lines that it wrote. */
  lastWords: string[];
}

/**
 * Starts a program and waits until `readyUrl` answers.
 *
 * @throws {Error} with its last words, if it does not become ready, or when `stop` is aborted; it has ended then
 */
export async function startReady(spec: ChildSpec, readyUrl: string, stop: AbortSignal): Promise<Part> {
  const child = startChild(spec);
  try {
    await ready(spec, child, readyUrl, stop);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return child;
}

async function ready(spec: ChildSpec, child: Child, url: string, stop: AbortSignal): Promise<void> {
  let how: string | undefined;
  void child.ended.then((ended) => (how = ended));
  const fail = (what: string) => new Error(`${spec.name} ${what}:\n${child.lastWords.join('\n')}`);
  for (let waited = 0; ; waited += pollMs) {
    const isAnswered = await answers(url, stop);
    // First of all, for somebody else may answer there.
    if (how !== undefined) throw fail(`ended at start (${how})`);
    if (isAnswered) return;
    if (waited > 0 && waited % 5_000 === 0) progress(`waiting for ${spec.name} at ${url}`);
    if (waited >= 60_000) throw fail(`does not answer at ${url}`);
    await delay(pollMs, undefined, { signal: stop });
  }
}

async function answers(url: string, stop: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([stop, AbortSignal.timeout(2_000)]) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** Its output goes to a log file; it ends when we end, however we end, for it listens to the channel between us. */
export function startChild(spec: ChildSpec): Child {
  const child = fork(join(root, spec.module), spec.args ?? [], {
    // Not this shell's whole environment: a stray VAULT_TOKEN or proxy setting must not reach the apps.
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...spec.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Ctrl-C reaches every process of the terminal's group, but ours have to end in order: see runSystem.
    detached: true,
  });
  const log = createWriteStream(join(logDir, `${spec.name}.log`), { flags: 'a', mode: 0o600 });
  const lastWords: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    stream.pipe(log, { end: false });
    createInterface({ input: stream }).on('line', (line) => {
      if (lastWords.push(line) > 5) lastWords.shift();
      if (stream === child.stdout) spec.onLine?.(line);
    });
  }
  // Not `exit`: its last words may still be on their way then.
  const ended = once(child, 'close').then(([code, signal]) => String(signal ?? `exit code ${code}`));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const impatience = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    await ended;
    clearTimeout(impatience);
  };
  return { ended, stop, lastWords };
}
