import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Which tests of packages/refresh: a part of the path of their file, and of their full name. */
export interface Selection {
  tests: string;
  name: string;
}

/** Tests by their full names, with those of their groups before them. */
export interface Verdict {
  passed: string[];
  failed: string[];
}

interface Report {
  testResults: {
    assertionResults: { status: string; ancestorTitles: string[]; title: string }[];
  }[];
}

const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');

/** Runs some tests of a workspace as it stands, all together: every one, or up to the first that fails. */
export async function runTests(
  folder: string,
  selections: Selection[],
  upTo: 'all' | 'first failure' = 'all',
): Promise<Verdict> {
  const report = join(folder, 'report.json');
  rmSync(report, { force: true });
  const names = selections
    .map(({ name }) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join('|');
  const files = new Set(selections.map(({ tests }) => tests));
  const options = ['--reporter=json', `--outputFile=${report}`, '--no-file-parallelism'];
  // What takes a rule out may make a test wait for what never comes.
  if (upTo === 'first failure') options.push('--bail=1', '--testTimeout=20000');
  const child = spawn(
    process.execPath,
    [vitest, 'run', '--project', 'refresh', ...options, '--testNamePattern', names, ...files],
    { cwd: folder, env: environment(), stdio: 'ignore' },
  );
  const [code] = (await once(child, 'exit')) as [number | null];
  if (!existsSync(report))
    throw new Error(`The tests did not run (exit code ${code}): ${[...files].join(', ')}`);
  return read(JSON.parse(readFileSync(report, 'utf8')) as Report);
}

/** Without what a Vitest around this one says to its workers. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_ENV$)/.test(name)),
  );
}

function read({ testResults }: Report): Verdict {
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  const named = (wanted: string) =>
    results
      .filter(({ status }) => status === wanted)
      .map(({ ancestorTitles, title }) => [...ancestorTitles, title].join(': '));
  return { passed: named('passed'), failed: named('failed') };
}
