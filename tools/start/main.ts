import { findBackendProblems } from './given.ts';
import { findPortProblems } from './ports.ts';
import { progress } from './screen.ts';
import { dataDir, lockDataDir, prepareDataDir } from './state.ts';
import { runSystem } from './system.ts';

prepareDataDir();
const other = lockDataDir();
if (other !== undefined)
  giveUp([
    `Connectors already runs on ${dataDir} (process ${other}): stop that first, with Ctrl-C or kill ${other}.`,
  ]);

const problems = (await Promise.all([findPortProblems(), findBackendProblems()])).flat();
if (problems.length > 0) giveUp(problems);

const stopRequested = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    if (stopRequested.signal.aborted) return;
    console.log();
    progress('stopping');
    stopRequested.abort();
  });

try {
  await runSystem(stopRequested.signal);
} catch (error) {
  // 128 + SIGINT, as a shell says it: Ctrl-C came before everything ran.
  if (stopRequested.signal.aborted) process.exit(130);
  giveUp([error instanceof Error ? error.message : String(error)]);
}
process.exit(0);

function giveUp(problems: string[]): never {
  for (const problem of problems) console.error(`\n${problem}`);
  process.exit(1);
}
