import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFleet, type FleetOptions } from '../../fleet/start-fleet.ts';

const main = join(import.meta.dirname, '../../cli/main.ts');

/** The command is started some hundred times. */
const compiled = { NODE_COMPILE_CACHE: join(tmpdir(), 'connectors-compile-cache') };

interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the command as a process with nothing in its environment but this, and ends its input with this text. */
function runCli(args: string[], env: Record<string, string>, input = ''): Promise<Result> {
  const { PATH, HOME } = process.env;
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [main, ...args],
      { env: { PATH, HOME, ...compiled, CONNECTORS_DATA_DIR: '/nowhere', ...env } },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}

/** A fleet with a console, and the command that talks to it. */
export async function startCli(options: Partial<FleetOptions> = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'cli-'));
  const adminToken = randomBytes(24).toString('base64url');
  const workerEnv = { CONSOLE: 'on', ADMIN_TOKEN: adminToken, ...options.workerEnv };
  const fleet = await startFleet(dir, { workers: 1, proxies: 0, ...options, workerEnv });
  const access = { CONSOLE_URL: fleet.workers[0]?.url ?? '', ADMIN_TOKEN: adminToken };
  return {
    dir,
    fleet,
    adminToken,
    access,
    run: (args: string[], env: Record<string, string> = access, input = '') => runCli(args, env, input),
    /** The command while it runs. */
    spawn: (args: string[]) => {
      const { PATH } = process.env;
      return spawn(process.execPath, [main, ...args], { env: { PATH, ...compiled, ...access } });
    },
    async close() {
      await fleet.close();
      rmSync(dir, { recursive: true });
    },
  };
}

export type Cli = Awaited<ReturnType<typeof startCli>>;
