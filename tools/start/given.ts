import { Redis } from 'ioredis';

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

async function vaultProblem(address: string): Promise<string | undefined> {
  if (!process.env['VAULT_TOKEN'])
    return 'VAULT_ADDR is set: set VAULT_TOKEN too, to a token that may create mounts and policies.';
  const problem = judgeHealth(await healthStatus(address));
  if (problem === undefined) return undefined;
  return `VAULT_ADDR ${shownUrl(address)} ${problem}, or unset VAULT_ADDR to use an embedded one.`;
}

async function healthStatus(address: string): Promise<number | undefined> {
  try {
    const url = `${address.replace(/\/$/, '')}/v1/sys/health`;
    const response = await fetch(url, { signal: AbortSignal.timeout(patienceMs) });
    await response.body?.cancel();
    return response.status;
  } catch {
    return undefined;
  }
}

function judgeHealth(status: number | undefined): string | undefined {
  if (status === undefined) return 'does not answer: start that Vault';
  if (status === 501) return 'is not initialised: run `vault operator init` there';
  if (status === 503) return 'is sealed: unseal that Vault';
  return undefined;
}
