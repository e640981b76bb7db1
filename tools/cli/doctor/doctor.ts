import { CommandError, UsageError, type Command } from '../command.ts';
import { readOptions } from '../options.ts';
import { printable, printJson } from '../print.ts';
import type { Finding } from './finding.ts';
import { findSubjects } from './subjects.ts';

const usage = `usage: npx pnpm@12 connectors doctor [options] [--json]

Examines a deployment: configuration, Vault and the rights in it, Redis, clocks, integrations, the console, and whether workers work.
For each finding it says what to do. It exits with 1 if any check failed.

It looks at the environment that it is run with, as that of a worker; without one at the system that \`npx pnpm@12 start\` runs here.

  --app proxy                the environment is a proxy's
  --worker-env <file>        take the environments from files instead, with a line NAME=value for each variable,
  --proxy-env <file>         so that both apps are examined together
  --vault-token-file <file>  a token that may see what no app may: audit devices
  --providers                also ask each provider for tokens, with a code that it must refuse

It logs in to Vault, writes one document there (_doctor/check) and forgets it.`;

interface DoctorValues {
  app?: string;
  'worker-env'?: string;
  'proxy-env'?: string;
  'vault-token-file'?: string;
  providers?: boolean;
  json?: boolean;
}

export const doctor: Command = {
  summary: 'examines a deployment, and says what to fix',
  usage,
  takesNothing: true,
  run: async (args) => {
    const { values } = readOptions(args, [], {
      app: { type: 'string' },
      'worker-env': { type: 'string' },
      'proxy-env': { type: 'string' },
      'vault-token-file': { type: 'string' },
      providers: { type: 'boolean' },
    });
    const { app = 'worker', providers = false, json = false, ...files } = values as DoctorValues;
    if (app !== 'worker' && app !== 'proxy') throw new UsageError('--app is worker or proxy.');
    const { 'worker-env': workerEnv, 'proxy-env': proxyEnv, 'vault-token-file': vaultTokenFile } = files;
    const options = {
      app,
      ...(workerEnv === undefined ? {} : { workerEnv }),
      ...(proxyEnv === undefined ? {} : { proxyEnv }),
      ...(vaultTokenFile === undefined ? {} : { vaultTokenFile }),
    } as const;
    const subjects = findSubjects(options, process.env);
    // The other commands need none of its libraries, which take half a second to load.
    const { examine } = await import('./examine.ts');
    const findings = await examine({ subjects, asksProviders: providers, now: Date.now });
    if (json) printJson({ findings });
    else printFindings(findings);
    const failures = count(findings, 'failed');
    if (failures > 0) throw new CommandError(`${failures} check(s) failed.`);
  },
};

function count(findings: Finding[], wanted: Finding['status']): number {
  return findings.filter(({ status }) => status === wanted).length;
}

const marks = { ok: '✓ ok     ', warning: '! warning', failed: '✗ FAILED ', skipped: '- skipped' };

function printFindings(findings: Finding[]): void {
  for (const subject of ['worker', 'proxy', 'system']) {
    const found = findings.filter((finding) => finding.subject === subject);
    if (found.length > 0) console.log(`\n${subject}`);
    for (const { status, check, detail, fix } of found) {
      console.log(`  ${marks[status]}  ${check.padEnd(22)}  ${printable(detail)}`);
      if (fix !== undefined) console.log(`${' '.repeat(15)}→ ${printable(fix)}`);
    }
  }
  const [warnings, skipped] = [count(findings, 'warning'), count(findings, 'skipped')];
  console.log(
    `\n${count(findings, 'ok')} ok, ${warnings} warning(s), ${count(findings, 'failed')} failed, ${skipped} skipped`,
  );
}
