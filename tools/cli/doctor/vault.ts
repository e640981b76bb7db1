import { readFileSync } from 'node:fs';
import type { VaultConfig } from '@connectors/vault-core';
import { judgeCapabilities, rightsOf } from './capabilities.ts';
import { judgeClock } from './clock.ts';
import { findingsOf, type Finding } from './finding.ts';
import { isLoopback } from './loopback.ts';
import { examineAudit, examineMounts, examineWrites } from './vault-storage.ts';
import { fixOfSilence, openVaultCalls, type VaultAnswer, type VaultCalls } from './vault-calls.ts';

export interface VaultExam {
  app: 'worker' | 'proxy';
  config: VaultConfig;
  operatorToken?: string | undefined;
  allowedSkewMs: number;
  now: () => number;
}

/** Examines Vault as an app meets it: each check needs those before it. */
export async function examineVault(exam: VaultExam): Promise<Finding[]> {
  const { VAULT_ADDR, VAULT_CACERT, VAULT_TIMEOUT } = exam.config;
  const calls = openVaultCalls(VAULT_ADDR, VAULT_CACERT, VAULT_TIMEOUT);
  try {
    const state = judgeHealth(exam, await calls.call('GET', 'sys/health?standbyok=true&perfstandbyok=true'));
    if (state.some(({ status }) => status === 'failed')) return state;
    const login = await logIn(exam, calls);
    if (typeof login !== 'string') return [...state, login];
    const findings = await examineWithToken(exam, calls, login);
    if (isAppRole(exam.config)) await calls.call('POST', 'auth/token/revoke-self', login);
    return [...state, ...findings];
  } finally {
    await calls.close();
  }
}

function judgeHealth({ app, config, allowedSkewMs, now }: VaultExam, answer: VaultAnswer): Finding[] {
  const { ok, failed, warning } = findingsOf(app);
  const address = config.VAULT_ADDR;
  const check = 'vault.reachable';
  if (answer.status === undefined) {
    return [
      failed(check, `Vault at ${address} does not answer (${answer.problem})`, fixOfSilence(answer.problem)),
    ];
  }
  const { initialized, sealed, server_time_utc: seconds } = answer.body;
  if (initialized === false)
    return [
      failed(
        check,
        `Vault at ${address} is not initialised`,
        'Run: vault operator init, then vault/init-vault.sh',
      ),
    ];
  if (sealed === true) return [failed(check, `Vault at ${address} is sealed`, 'Run: vault operator unseal')];
  if (initialized !== true)
    return [
      failed(check, `what answers at ${address} is not Vault (${answer.status})`, 'Correct VAULT_ADDR'),
    ];
  const isClear = address.startsWith('http:') && !isLoopback(address);
  return [
    isClear
      ? warning(
          check,
          `Vault at ${address} answers in plain http: tokens can be read on the way`,
          'Give Vault a certificate, and VAULT_ADDR https',
        )
      : ok(check, `Vault at ${address} is initialised and unsealed`),
    ...(typeof seconds === 'number'
      ? [judgeClock('Vault', seconds * 1_000, now(), allowedSkewMs + 1_000)]
      : []),
  ];
}

function isAppRole(config: VaultConfig): boolean {
  return (config.VAULT_ROLE_ID ?? config.VAULT_ROLE_ID_FILE) !== undefined;
}

function readText(file: string | undefined): string {
  return file === undefined ? '' : readFileSync(file, 'utf8').trim();
}

/** A token, or why there is none. */
async function logIn({ app, config }: VaultExam, calls: VaultCalls): Promise<string | Finding> {
  const { failed } = findingsOf(app);
  const check = 'vault.login';
  if (!isAppRole(config)) return config.VAULT_TOKEN?.reveal() ?? '';
  const body = {
    role_id: config.VAULT_ROLE_ID ?? readText(config.VAULT_ROLE_ID_FILE),
    secret_id: config.VAULT_SECRET_ID?.reveal() ?? readText(config.VAULT_SECRET_ID_FILE),
  };
  const answer = await calls.call('POST', 'auth/approle/login', undefined, body);
  const auth = answer.status === 200 ? (answer.body['auth'] as { client_token: string }) : undefined;
  if (auth !== undefined) return auth.client_token;
  const role = app === 'worker' ? 'gateway' : 'proxy';
  return failed(
    check,
    `Vault does not take the role id and secret id (${answer.status ?? answer.problem})`,
    `Correct VAULT_ROLE_ID and VAULT_SECRET_ID, or their files; a new secret id: vault write -f auth/approle/role/${role}/secret-id`,
  );
}

async function examineWithToken(exam: VaultExam, calls: VaultCalls, token: string): Promise<Finding[]> {
  const { app, config } = exam;
  const { failed, warning } = findingsOf(app);
  const self = await calls.call('GET', 'auth/token/lookup-self', token);
  if (self.status !== 200)
    return [
      failed(
        'vault.login',
        `Vault does not know the token in VAULT_TOKEN (${self.status})`,
        'Put a valid one into VAULT_TOKEN, or better log in with an AppRole: VAULT_ROLE_ID and VAULT_SECRET_ID',
      ),
    ];
  const rights = rightsOf(app, config);
  const paths = [...new Set([...Object.keys(rights.needs), ...Object.keys(rights.mustNot)])];
  const answer = await calls.call('POST', 'sys/capabilities-self', token, { paths });
  return [
    judgeToken(exam, self.body['data'] as TokenData),
    ...(await examineMounts(exam, calls, token)),
    ...(answer.status === 200
      ? judgeCapabilities(app, rights, (answer.body['data'] ?? answer.body) as Record<string, unknown>)
      : [
          warning(
            'vault.rights',
            `what the token may do cannot be seen (${answer.status})`,
            'Let its role have the policy `default` as well, which allows sys/capabilities-self',
          ),
        ]),
    ...(app === 'worker' ? await examineWrites(exam, calls, token) : []),
    ...(app === 'worker' ? [await examineAudit(exam, calls)] : []),
  ];
}

interface TokenData {
  policies: string[];
  ttl: number;
  num_uses: number;
  renewable?: boolean;
}

function judgeToken(
  { app, config }: VaultExam,
  { policies, ttl, num_uses: uses, renewable }: TokenData,
): Finding {
  const { ok, failed, warning } = findingsOf(app);
  const check = 'vault.token';
  const appRole = 'Log in with an AppRole: VAULT_ROLE_ID and VAULT_SECRET_ID in place of VAULT_TOKEN';
  if (uses > 0)
    return failed(
      check,
      `its token is good for ${uses} more calls only`,
      'Set token_num_uses of the role to 0',
    );
  if (policies.includes('root'))
    return (app === 'proxy' ? failed : warning)(
      check,
      'it has a root token, which may do anything in Vault',
      appRole,
    );
  if (!isAppRole(config) && ttl > 0 && renewable !== true)
    return warning(check, `the token in VAULT_TOKEN ends in ${ttl} s and cannot be renewed`, appRole);
  if (isAppRole(config) && ttl > 0 && ttl < 60)
    return warning(
      check,
      `its tokens live for ${ttl} s: it logs in all the time`,
      'Set token_ttl of the role to an hour',
    );
  return ok(check, ttl === 0 ? 'is logged in, without an end' : `is logged in, for ${ttl} s at a time`);
}
