import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/vault/main.ts', import.meta.url));

export interface VaultProcess {
  url: string;
  child: ChildProcess;
  /** What it printed so far. */
  output(): string;
  /** Sends a signal and waits for the end. Returns the exit code, `null` when the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts the embedded Vault as a process of its own, on a free port. */
export async function startVaultProcess(...args: string[]): Promise<VaultProcess> {
  const { child, output } = spawnVault('--port', '0', ...args);
  const ended = once(child, 'exit');
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', () => {
      const found = /http:\/\/[\d.]+:\d+/.exec(output());
      if (found) resolve(found[0]);
    });
    child.once('exit', () => reject(new Error(output())));
  });
  return {
    url,
    child,
    output,
    async end(signal) {
      child.kill(signal);
      const [code] = (await ended) as [number | null];
      return code;
    },
  };
}

/** Runs it to its end, for starts that must fail. */
export async function runVault(...args: string[]): Promise<{ code: number | null; output: string }> {
  const { child, output } = spawnVault(...args);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: output() };
}

function spawnVault(...args: string[]): { child: ChildProcess; output: () => string } {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  }
  return { child, output: () => text };
}
