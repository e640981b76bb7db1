import { fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const cache = join(tmpdir(), 'connectors-compile-cache');
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** A worker as a process of its own; it is killed when the test is over. */
export function launch(env: Record<string, string>) {
  const child = fork(main, {
    env: { NODE_COMPILE_CACHE: cache, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  if (child.stdout === null || child.stderr === null) throw new Error('It has no output');
  const lines: LogLine[] = [];
  const output = createInterface(child.stdout);
  output.on('line', (line) => lines.push(JSON.parse(line) as LogLine));
  return { child, lines, output, stderr: text(child.stderr), exited: once(child, 'exit') };
}

interface LogLine {
  msg: string;
  url?: string;
}

/** {@link launch}, until it has started. */
export async function startProcess(env: Record<string, string>) {
  const { child, lines, output, stderr, exited } = launch(env);
  const started = new Promise<string>((resolve) => {
    output.on('line', (line) => {
      const { msg, url } = JSON.parse(line) as LogLine;
      if (msg === 'worker started') resolve(url ?? '');
    });
  });
  const url = await Promise.race([
    started,
    exited.then(async () => {
      throw new Error(`It did not start: ${await stderr}`);
    }),
  ]);
  return { url, child, lines, stderr, exited };
}
