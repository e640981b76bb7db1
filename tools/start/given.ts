import { ConfigError, readConfig, vaultFields, type VaultConfig } from '@connectors/vault-core';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { fixOfSilence, openVaultCalls, type VaultAnswer } from '../cli/doctor/vault-calls.ts';

const patienceMs = 5_000;

/** Says of a Redis or Vault that the environment names why it cannot be used. */
export async function findBackendProblems(): Promise<string[]> {
  const redisUrl = process.env['REDIS_URL'];
  const vaultAddress = process.env['VAULT_ADDR'];
  const problems = await Promise.all([
    redisUrl ? redisProblem(redisUrl) : undefined,
    vaultAddress ? vaultProblem(vaultAddress) : undefined,
  ]);
  return problems.filter((problem) => problem !== undefined);
}

/** A URL that may be printed: without user and password. */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return '(no URL)';
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
}

async function redisProblem(url: string): Promise<string | undefined> {
  if (await answersPing(url)) return undefined;
  return `REDIS_URL ${shownUrl(url)} does not answer: start that Redis, or unset REDIS_URL to use one of our own.`;
}

async function answersPing(url: string): Promise<boolean> {
  if (!URL.canParse(url)) return false;
  const redis = new Redis(url, {
    connectTimeout: patienceMs,
    commandTimeout: patienceMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  redis.on('error', () => undefined);
  try {
    return (await redis.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
}

/**
 * The Vault that the environment names, and how its mounts are called. An AppRole is not what provisions it.
 *
 * @throws {ConfigError}
 */
export function givenVault(): VaultConfig {
  const { VAULT_ADDR, VAULT_TOKEN, VAULT_CACERT } = process.env;
  const { VAULT_TRANSIT_ENGINE, VAULT_REFRESH_TRANSIT_ENGINE, VAULT_KV_ENGINE } = process.env;
  const mounts = { VAULT_TRANSIT_ENGINE, VAULT_REFRESH_TRANSIT_ENGINE, VAULT_KV_ENGINE };
  return readConfig(z.object(vaultFields), { VAULT_ADDR, VAULT_TOKEN, VAULT_CACERT, ...mounts });
}

async function vaultProblem(address: string): Promise<string | undefined> {
  if (!process.env['VAULT_TOKEN'])
    return 'VAULT_ADDR is set: set VAULT_TOKEN too, to a token that may create mounts and policies.';
  try {
    const problem = judgeHealth(await askHealth(givenVault()));
    if (problem === undefined) return undefined;
    return `VAULT_ADDR ${shownUrl(address)} ${problem}, or unset VAULT_ADDR to use an embedded one.`;
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.join('\n');
    throw error;
  }
}

async function askHealth({ VAULT_ADDR, VAULT_CACERT }: VaultConfig): Promise<VaultAnswer> {
  const calls = openVaultCalls(VAULT_ADDR, VAULT_CACERT, patienceMs);
  try {
    return await calls.call('GET', 'sys/health');
  } finally {
    await calls.close();
  }
}

function judgeHealth(answer: VaultAnswer): string | undefined {
  if (answer.status === 501) return 'is not initialised: run `vault operator init` there';
  if (answer.status === 503) return 'is sealed: unseal that Vault';
  if (answer.status !== undefined) return undefined;
  return `does not answer (${answer.problem}). ${fixOfSilence(answer.problem)}`;
}
