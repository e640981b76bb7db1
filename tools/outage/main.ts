import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { outages } from './outages.ts';
import { offencesOf, report } from './report.ts';
import { runOutages } from './run.ts';

const usage = `usage: npx pnpm@12 outage [--seconds 60] [--tenants 40] [--only 'Vault killed']

Runs a worker, two proxies, Redis and Vault, lets agents call through the proxies all the time, and takes parts away: Vault,
Redis, both, an upstream. Exits with 1 if a request failed that need not.

  --seconds  how long each outage lasts
  --tenants  how many, each with one credential
  --only     one of: ${outages.map(({ name }) => name).join(', ')}`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    seconds: { type: 'string', default: '60' },
    tenants: { type: 'string', default: '40' },
    only: { type: 'string' },
  },
});
const [seconds, tenants] = [Number(values.seconds), Number(values.tenants)];
const isKnown = values.only === undefined || outages.some(({ name }) => name === values.only);
if (values.help === true || !(seconds >= 1 && tenants >= 1) || !isKnown) {
  console.log(usage);
  process.exit(values.help === true ? 0 : 2);
}

function say(what: string): void {
  console.log(`${new Date().toLocaleTimeString('en-GB')}  ${what}`);
}

const dir = mkdtempSync(join(tmpdir(), 'connectors-outage-'));
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort());
try {
  // Fresh for a third of an outage: each credential gets stale in it.
  const cacheSeconds = Math.max(1, Math.floor(Math.min(60, seconds / 3)));
  const options = { seconds, tenants, only: values.only, cacheSeconds, say, signal: interrupted.signal };
  const phases = await runOutages(dir, options);
  console.log(`\n${report(phases)}\n`);
  const offences = offencesOf(phases);
  for (const offence of offences) console.error(offence);
  process.exitCode = offences.length > 0 ? 1 : 0;
} catch (error) {
  if (!interrupted.signal.aborted) throw error;
  process.exitCode = 130;
} finally {
  rmSync(dir, { recursive: true });
}
