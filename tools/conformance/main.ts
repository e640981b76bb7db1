import { parseArgs } from 'node:util';
import { differs, type Comparison } from './compare.ts';
import { revisions, runConformance } from './run.ts';

const usage = `Runs the official MCP conformance suite against a server directly and through the proxy, and compares the results.
Exits with 1 if any check came to something else.

  npx pnpm@12 conformance:mcp [--revision 2025-11-25|2026-07-28] [--scenario <name>]

What a server does not implement fails in both runs: here, tasks, which are an extension.
`;

const { values } = parseArgs({
  options: {
    revision: { type: 'string' },
    scenario: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) {
  process.stdout.write(usage);
} else if (values.revision !== undefined && !revisions.includes(values.revision)) {
  process.stderr.write(`There is no revision ${values.revision}: choose ${revisions.join(' or ')}.\n`);
  process.exitCode = 2;
} else {
  const comparisons = await runConformance({
    revisions: values.revision === undefined ? revisions : [values.revision],
    scenario: values.scenario,
    onProgress: showProgress,
  });
  showProgress('');
  for (const [revision, scenarios] of comparisons) print(revision, scenarios);
  const different = [...comparisons.values()].flat().filter(differs).length;
  process.stdout.write(different === 0 ? '\nNo difference.\n' : `\n${different} scenarios differ.\n`);
  process.exitCode = different === 0 ? 0 : 1;
}

function print(revision: string, scenarios: readonly Comparison[]): void {
  const wide = Math.max(...scenarios.map(({ scenario }) => scenario.length));
  const line = (cells: [string, string, string]) =>
    `${cells[0].padEnd(wide)}  ${cells[1].padEnd(22)}${cells[2]}\n`;
  process.stdout.write(`\n${line([revision, 'direct', 'through the proxy'])}`);
  for (const comparison of scenarios) {
    const { scenario, direct, proxied, onlyDirect, onlyProxied } = comparison;
    process.stdout.write(line([scenario, direct, `${proxied}${differs(comparison) ? '  << differs' : ''}`]));
    for (const check of onlyDirect) process.stdout.write(`    only directly: ${check}\n`);
    for (const check of onlyProxied) process.stdout.write(`    only through the proxy: ${check}\n`);
  }
}

/** Overwrites the last one on a terminal; is silent elsewhere. */
function showProgress(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${what}`);
}
