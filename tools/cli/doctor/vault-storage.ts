import { findingsOf, type Finding } from './finding.ts';
import type { VaultExam } from './vault.ts';
import type { VaultCalls } from './vault-calls.ts';

const engines = [
  ['VAULT_TRANSIT_ENGINE', 'transit'],
  ['VAULT_REFRESH_TRANSIT_ENGINE', 'transit'],
  ['VAULT_KV_ENGINE', 'kv'],
] as const;

/** Engines of another kind than what is expected on a mount. */
export async function examineMounts(
  { app, config }: VaultExam,
  calls: VaultCalls,
  token: string,
): Promise<Finding[]> {
  const { ok, failed } = findingsOf(app);
  const findings: Finding[] = [];
  for (const [setting, type] of engines) {
    // On this one the proxy has no rights, so Vault tells it nothing.
    if (app === 'proxy' && setting === 'VAULT_REFRESH_TRANSIT_ENGINE') continue;
    const mount = config[setting];
    const answer = await calls.call('GET', `sys/internal/ui/mounts/${mount}`, token);
    const problem = judgeMount(mount, type, answer.status === 200 ? answer.body['data'] : undefined);
    if (problem === undefined) continue;
    const fix = `Correct ${setting}, or run vault/init-vault.sh: it mounts what is missing, as it has to be`;
    findings.push(failed('vault.mounts', problem, fix));
  }
  if (config.VAULT_TRANSIT_ENGINE === config.VAULT_REFRESH_TRANSIT_ENGINE)
    findings.push(
      failed(
        'vault.mounts',
        'access and refresh tokens are encrypted on the same mount: who may read the one may read the other',
        'Give VAULT_REFRESH_TRANSIT_ENGINE a mount of its own',
      ),
    );
  return findings.length > 0 ? findings : [ok('vault.mounts', 'its mounts are there, and of the right kind')];
}

function judgeMount(mount: string, wanted: string, data: unknown): string | undefined {
  if (data === undefined) return `there is no mount ${mount}/ that it may use`;
  const { type, options } = data as MountData;
  if (type !== wanted) return `${mount}/ is a mount of type ${type}, not ${wanted}`;
  if (type !== 'kv' || options?.['version'] === '2') return undefined;
  return `${mount}/ is KV of version 1, which has no check-and-set`;
}

interface MountData {
  type: string;
  options: Record<string, string> | null;
}

/** Writes one document twice with the same version: the second time must be refused. Then the document is forgotten. */
export async function examineWrites(
  { config }: VaultExam,
  calls: VaultCalls,
  token: string,
): Promise<Finding[]> {
  const { ok, failed } = findingsOf('worker');
  const { VAULT_KV_ENGINE: kv, VAULT_REFRESH_TRANSIT_ENGINE: refresh } = config;
  const path = '_doctor/check';
  const read = await calls.call('GET', `${kv}/data/${path}`, token);
  const version = read.status === undefined ? 0 : versionOf(read.body);
  const write = () =>
    calls.call('POST', `${kv}/data/${path}`, token, { data: {}, options: { cas: version } });
  const [first, second] = [await write(), await write()];
  await calls.call('DELETE', `${kv}/metadata/${path}`, token);
  const cas =
    first.status !== 200
      ? failed(
          'vault.cas',
          `${kv}/ cannot be written to (${first.status ?? first.problem}): no credential can be claimed or saved`,
          'See what Vault logs: its storage may be full or read-only',
        )
      : second.status === 400
        ? ok('vault.cas', `${kv}/ takes writes, and refuses those that come too late`)
        : failed(
            'vault.cas',
            `${kv}/ takes a write that comes too late: two workers could spend one refresh token`,
            `Let VAULT_KV_ENGINE name a mount of KV version 2`,
          );
  const spool = await calls.call('GET', `${refresh}/keys/_spool`, token);
  return [
    cas,
    spool.status === 200
      ? ok('vault.spool_key', 'the key of the spool is there')
      : failed(
          'vault.spool_key',
          `there is no key _spool on ${refresh}/: tokens that Vault cannot take for a while would be in one worker's memory alone`,
          `Run: vault write -f ${refresh}/keys/_spool`,
        ),
  ];
}

function versionOf(body: Record<string, unknown>): number {
  const { metadata } = (body['data'] ?? {}) as { metadata?: { version?: number } };
  return metadata?.version ?? 0;
}

export async function examineAudit({ operatorToken }: VaultExam, calls: VaultCalls): Promise<Finding> {
  const { ok, warning, skipped } = findingsOf('system');
  const check = 'vault.audit';
  if (operatorToken === undefined)
    return skipped(
      check,
      'audit devices: no app may see them',
      'Name a token that may, with --vault-token-file',
    );
  const answer = await calls.call('GET', 'sys/audit', operatorToken);
  if (answer.status !== 200)
    return skipped(
      check,
      `audit devices: this token may not see them (${answer.status})`,
      'Name one that may read sys/audit, with --vault-token-file',
    );
  const devices = Object.keys(answer.body['data'] ?? {});
  if (devices.length > 0) return ok(check, `Vault keeps an audit log (${devices.join(', ')})`);
  return warning(
    check,
    'Vault keeps no audit log: nobody can tell who read which credential',
    'Run: vault audit enable file file_path=/vault/logs/audit.log',
  );
}
