import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** What a scenario's checks came to, in their order: `{check's id} {status}`. */
export type Results = Map<string, string[]>;

export interface SuiteRun {
  url: string;
  /** The revision of the protocol, such as `2026-07-28`. */
  revision: string;
  /** One of them only; all that the revision requires or reports unless told. */
  scenario?: string | undefined;
  /** An empty folder for what the suite writes. */
  outputDir: string;
  onScenario?: (name: string) => void;
}

const suite = fileURLToPath(import.meta.resolve('@modelcontextprotocol/conformance/dist/index.js'));

/** @throws {Error} with the suite's last words when it brought no results */
export async function runSuite({
  url,
  revision,
  scenario,
  outputDir,
  onScenario,
}: SuiteRun): Promise<Results> {
  const what =
    scenario === undefined
      ? ['--requirements', revision]
      : ['--scenario', scenario, '--spec-version', revision];
  const child = spawn(process.execPath, [suite, 'server', '--url', url, '--output-dir', outputDir, ...what], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], NO_COLOR: '1' },
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      const name =
        /^Running client scenario '([^']+)'/.exec(line)?.[1] ??
        /^=== Running scenario: (\S+)/.exec(line)?.[1];
      if (name !== undefined) onScenario?.(name);
    });
  }
  // How it ended does not matter: it fails with every check that does.
  await once(child, 'close');
  const results = readResults(outputDir);
  if (results.size === 0) throw new Error(`The suite brought no results:\n${lines.slice(-10).join('\n')}`);
  return results;
}

function readResults(outputDir: string): Results {
  const results: Results = new Map();
  for (const folder of readdirSync(outputDir)) {
    const name = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(folder)?.[1] ?? folder;
    const checks = JSON.parse(readFileSync(join(outputDir, folder, 'checks.json'), 'utf8')) as {
      id: string;
      status: string;
    }[];
    results.set(
      name,
      checks.map(({ id, status }) => `${id} ${status}`),
    );
  }
  return results;
}
