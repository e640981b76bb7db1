import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '../..');

/** How long a process may take to end by itself, in milliseconds. */
const patienceMs = 25_000;

export interface ChildSpec {
  name: string;
  /** From the repository's root. */
  module: string;
  /** Where its output goes, as `{name}.log`. */
  logDir: string;
  args?: string[];
  env?: Record<string, string>;
  /** Called with every line of its standard output. */
  onLine?: (line: string) => void;
}

export interface Child {
  pid: number;
  /** The last lines that it wrote. */
  lastWords: string[];
  /** Resolves when it has ended, with how. */
  ended: Promise<string>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it has ended, at once if it had already. */
  stop(): Promise<void>;
}

/** Its output goes to a log file; it ends when we end, however we end, for it listens to the channel between us. */
export function startChild(spec: ChildSpec): Child {
  const child = fork(join(root, spec.module), spec.args ?? [], {
    // Not this shell's whole environment: a stray VAULT_TOKEN or proxy setting must not reach the apps.
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...spec.env },
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Ctrl-C reaches every process of the terminal's group, but ours have to end in order.
    detached: true,
  });
  const log = createWriteStream(join(spec.logDir, `${spec.name}.log`), { flags: 'a', mode: 0o600 });
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
  void ended.then(() => log.end());
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    // A stopped process hears nothing.
    child.kill('SIGCONT');
    const impatience = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    await ended;
    clearTimeout(impatience);
  };
  return { pid: child.pid ?? 0, lastWords, ended, kill: (signal) => child.kill(signal), stop };
}
