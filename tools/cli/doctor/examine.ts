import { consoleUrlField, readConfig } from '@connectors/vault-core';
import { refreshFields } from '@connectors/refresh';
import { z } from 'zod';
import { examineAgreement, examineConfiguration, readRedis, readVault } from './configuration.ts';
import { examineConsole } from './console.ts';
import type { Finding } from './finding.ts';
import { examineIntegrations, integrationNames } from './integrations.ts';
import { examineRedis } from './redis.ts';
import { examineSchedule } from './schedule.ts';
import type { Environment, Subjects } from './subjects.ts';
import { examineVault } from './vault.ts';

export interface Exam {
  subjects: Subjects;
  /** Whether providers are sent a token request that must fail. */
  asksProviders: boolean;
  now: () => number;
}

/** Examines everything, in the order in which one thing needs the other. It changes nothing that stays. */
export async function examine({ subjects, asksProviders, now }: Exam): Promise<Finding[]> {
  const { worker, proxy, operatorToken } = subjects;
  const apps = [
    ...(worker === undefined ? [] : [['worker', worker] as const]),
    ...(proxy === undefined ? [] : [['proxy', proxy] as const]),
  ];
  const findings: Finding[] = [];
  for (const [app, env] of apps) {
    const allowedSkewMs = clockSkewMs(env);
    findings.push(...examineConfiguration(app, env));
    const vault = readVault(env);
    if (vault !== undefined)
      findings.push(...(await examineVault({ app, config: vault, operatorToken, allowedSkewMs, now })));
    const redis = readRedis(env);
    if (redis !== undefined) {
      const { REDIS_URL: url, REDIS_PREFIX: prefix } = redis;
      findings.push(...(await examineRedis({ app, url, prefix, allowedSkewMs, now })));
    }
  }
  findings.push(...examineAgreement(subjects));
  const isFine = (check: string) =>
    findings.some(
      (finding) => finding.subject === 'worker' && finding.check === check && finding.status !== 'failed',
    );
  const consoleUrl = consoleUrlOf(worker ?? proxy ?? {});
  const isVaultUp = isFine('vault.token');
  findings.push(...(await examineIntegrations({ subjects, isVaultUp, asksProviders, consoleUrl })));
  findings.push(...(await examineConsole(consoleUrl)));
  if (worker !== undefined && isFine('redis.reachable')) findings.push(...(await schedule(worker, now)));
  return unrepeated(findings);
}

function schedule(env: Environment, now: () => number): Promise<Finding[]> {
  const { REDIS_URL: url = '', REDIS_PREFIX: prefix = '' } = readRedis(env) ?? {};
  const sweepIntervalMs = numberOf(env, 'SWEEP_INTERVAL_SECONDS') * 1_000;
  return examineSchedule({ url, prefix, integrations: integrationNames(env), sweepIntervalMs, now });
}

function clockSkewMs(env: Environment): number {
  return numberOf(env, 'REFRESH_CLOCK_SKEW_SECONDS') * 1_000;
}

/** Where the environment says nonsense, which is told elsewhere, the default serves. */
function numberOf(env: Environment, name: 'REFRESH_CLOCK_SKEW_SECONDS' | 'SWEEP_INTERVAL_SECONDS'): number {
  const given = refreshFields[name].safeParse(env[name] || undefined);
  return given.success ? given.data : refreshFields[name].parse(undefined);
}

function consoleUrlOf(env: Environment): string {
  try {
    return readConfig(z.object(consoleUrlField), env).CONSOLE_URL;
  } catch {
    return consoleUrlField.CONSOLE_URL.parse(undefined);
  }
}

/** What both apps see of Vault and Redis is told once. */
function unrepeated(findings: Finding[]): Finding[] {
  const told = new Set<string>();
  return findings.filter(({ subject, check, detail }) => {
    const key = `${subject} ${check} ${subject === 'system' && check.startsWith('clock') ? '' : detail}`;
    return told.has(key) ? false : told.add(key);
  });
}
