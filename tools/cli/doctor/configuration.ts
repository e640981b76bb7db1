import {
  ConfigError,
  consoleUrlField,
  readConfig,
  redisFields,
  refreshCooldownField,
  vaultFields,
  vaultLoginRule,
  type VaultConfig,
} from '@connectors/vault-core';
import { z } from 'zod';
import { readProxyConfig } from '../../../apps/proxy/src/config.ts';
import { readWorkerConfig } from '../../../apps/worker/src/config.ts';
import { shownUrl } from '../../start/given.ts';
import { findingsOf, type Finding } from './finding.ts';
import type { Environment, Subjects } from './subjects.ts';

/** Every problem that keeps an app from starting, at once. */
export function examineConfiguration(app: 'worker' | 'proxy', env: Environment): Finding[] {
  const { ok, failed } = findingsOf(app);
  try {
    if (app === 'worker') readWorkerConfig({ ...env }, 'elsewhere');
    else readProxyConfig(env);
    return [ok('configuration', 'its configuration is as it should be')];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => failed('configuration', problem, fixOf(problem)));
  }
}

/** Problems begin with the name of what is wrong. */
function fixOf(problem: string): string {
  const [name = ''] = problem.split(': ');
  if (name.startsWith('integrations.') || name === 'connectors.yaml')
    return `Correct ${name} in the file that CONNECTORS_CONFIG names; docs/integrations.md`;
  return `Correct ${name} in its environment; docs/configuration.md`;
}

/** How to reach Vault, as far as the environment says it rightly. */
export function readVault(env: Environment): VaultConfig | undefined {
  return orUndefined(() => readConfig(z.object(vaultFields), env, [vaultLoginRule]));
}

export function readRedis(env: Environment): { REDIS_URL: string; REDIS_PREFIX: string } | undefined {
  return orUndefined(() => readConfig(z.object(redisFields), env));
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

const { VAULT_ADDR, VAULT_TRANSIT_ENGINE, VAULT_KV_ENGINE } = vaultFields;
const { REDIS_URL, REDIS_PREFIX } = redisFields;
const shared: Record<string, z.ZodType> = {
  VAULT_ADDR,
  VAULT_TRANSIT_ENGINE,
  VAULT_KV_ENGINE,
  // Each has a user of its own there.
  REDIS_URL: REDIS_URL.transform(shownUrl),
  REDIS_PREFIX,
  ...consoleUrlField,
  ...refreshCooldownField,
};

/** What must be the same for both apps. */
export function examineAgreement({ worker, proxy }: Subjects): Finding[] {
  if (worker === undefined || proxy === undefined) return [];
  const { ok, failed } = findingsOf('system');
  // What is left out has its default, and what is wrong is told elsewhere.
  const meaning = (env: Environment, name: string) =>
    shared[name]?.safeParse(env[name] || undefined).data ?? env[name];
  const different = Object.keys(shared).filter((name) => meaning(worker, name) !== meaning(proxy, name));
  if (different.length === 0) return [ok('agreement', 'worker and proxy agree on what they share')];
  return different.map((name) =>
    failed('agreement', `worker and proxy do not have the same ${name}`, `Give both the same ${name}`),
  );
}
