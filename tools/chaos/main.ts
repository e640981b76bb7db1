import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readArguments, usage } from './arguments.ts';
import { offencesOf } from './findings.ts';
import { createScreen } from './progress.ts';
import { report } from './report.ts';
import { runChaos } from './run.ts';
import { planFaults } from './schedule.ts';

const args = readArguments(process.argv.slice(2));
if (args === 'help') {
  console.log(usage);
  process.exit(0);
}
if ('problem' in args) {
  console.error(`${args.problem}\n\n${usage}`);
  process.exit(2);
}

const dir = mkdtempSync(join(tmpdir(), 'connectors-chaos-'));
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort());

try {
  const plan = planFaults(args.seed, args.seconds);
  const findings = await runChaos(args, plan, dir, interrupted.signal, createScreen(args));
  console.log(`\n${report(findings)}\n`);
  const offences = offencesOf(findings);
  if (offences.length > 0) end(1, offences);
  end(0, []);
} catch (error) {
  // 128 + SIGINT, as a shell says it.
  if (interrupted.signal.aborted) end(130, []);
  end(1, [error instanceof Error ? (error.stack ?? error.message) : String(error)]);
}

/** Leaves nothing behind but, after a failure, the logs: what else lies there holds secrets. */
function end(code: number, offences: string[]): never {
  for (const offence of offences.slice(0, 50)) console.error(offence);
  if (offences.length > 50) console.error(`… and ${offences.length - 50} more`);
  if (code !== 1) rmSync(dir, { recursive: true });
  else {
    for (const name of readdirSync(dir)) if (name !== 'logs') rmSync(join(dir, name), { recursive: true });
    console.error(`\nThe logs of the processes are in ${join(dir, 'logs')}`);
  }
  process.exit(code);
}
