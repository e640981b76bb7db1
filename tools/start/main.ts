import { runSystem } from './system.ts';
import { findTakenPorts, ports } from './ports.ts';
import { dataDir, prepareDataDir, runningPid } from './state.ts';

prepareDataDir();
const other = runningPid();
if (other !== undefined)
  giveUp([
    `Connectors already runs on ${dataDir} (process ${other}): stop that first, with Ctrl-C or kill ${other}.`,
  ]);

const needed = (Object.keys(ports) as (keyof typeof ports)[]).filter(
  (name) =>
    !(name === 'vault' && process.env['VAULT_ADDR']) && !(name === 'redis' && process.env['REDIS_URL']),
);
const taken = await findTakenPorts(needed);
if (taken.length > 0) giveUp(taken);

const stopRequested = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => stopRequested.abort());

try {
  await runSystem(stopRequested.signal);
} catch (error) {
  giveUp([error instanceof Error ? error.message : String(error)]);
}
process.exit(0);

function giveUp(problems: string[]): never {
  for (const problem of problems) console.error(`\n${problem}`);
  process.exit(1);
}
