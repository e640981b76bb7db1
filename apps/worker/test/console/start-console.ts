import { startRedis } from '@connectors/dev-servers';
import { connectRedis, RefreshQueues } from '@connectors/vault-core';
import { onTestFinished } from 'vitest';
import { adminToken, startInProcess } from '../start-world.ts';

export const origin = 'https://console.example.com';

/** A worker with a console, on a Redis of its own and without Vault; both end with the test or the file. */
export async function startConsole(env: Record<string, string> = {}) {
  const redisServer = await startRedis();
  const worker = await startInProcess({
    VAULT_ADDR: 'http://127.0.0.1:1',
    VAULT_TOKEN: 'none',
    VAULT_MAX_RETRIES: '0',
    REDIS_URL: redisServer.url,
    CONSOLE_PORT: '0',
    CONSOLE_URL: origin,
    ADMIN_TOKEN: adminToken,
    GITHUB_CLIENT_ID: 'github-client',
    ...env,
  });
  const redis = connectRedis(redisServer.url, 'background', () => undefined);
  const queues = new RefreshQueues(redis, 'connectors');
  const request = (path: string, init: RequestInit = {}) =>
    fetch(`${worker.url}${path}`, { redirect: 'manual', ...init });
  return {
    ...worker,
    redisServer,
    redis,
    queues,
    request,
    /** Signs in as the sign-in page does. */
    signIn: (token: string, headers: Record<string, string> = { origin }) =>
      request('/sign-in', { method: 'POST', headers, body: new URLSearchParams({ token }) }),
    /** The headers of a browser that is signed in. */
    async session() {
      const answer = await this.signIn(adminToken);
      return { cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '' };
    },
    /** The job of a token that is good for an hour. */
    async schedule(tenantId: string) {
      const data = { tenantId, integration: 'github', revision: 'r' };
      await queues.schedule(data, Date.now() + 3_600_000, Date.now());
      return { path: `/board/api/queues/refresh-github/${tenantId}.r`, find: () => queues.find(data) };
    },
    async close() {
      redis.disconnect();
      await worker.close();
      await redisServer.close();
    },
  };
}

export type Console = Awaited<ReturnType<typeof startConsole>>;

/** {@link startConsole} for one test. */
export async function startConsoleForTest(env: Record<string, string> = {}): Promise<Console> {
  const started = await startConsole(env);
  onTestFinished(() => started.close());
  return started;
}
