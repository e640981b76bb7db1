import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectRedis, VaultClient } from '@connectors/vault-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  callRest,
  killPart,
  newEnvironment,
  removeData,
  startSystem,
  type Environment,
  type System,
} from './start-system.ts';

let env: Environment;
let system: System;

beforeAll(async () => {
  env = await newEnvironment();
  system = await startSystem(env);
});

afterAll(async () => {
  await system.interrupt();
  removeData(env);
});

/** Calls until the upstream sees another token, and answers the statuses on the way. */
async function statusesUntilNextToken(): Promise<number[]> {
  const before = await callRest(system);
  const statuses: number[] = [];
  await vi.waitFor(
    async () => {
      const { status, tokenFingerprint } = await callRest(system);
      statuses.push(status);
      expect(tokenFingerprint).not.toBe(before.tokenFingerprint);
    },
    { timeout: 30_000, interval: 200 },
  );
  return statuses;
}

describe('refreshes go on', () => {
  it('after kill -9 of the worker and a refresh that fell due while there was none', async () => {
    killPart(system, 'apps/worker');
    await vi.waitFor(() => expect(system.output()).toContain('worker ended'));
    expect(new Set(await statusesUntilNextToken())).toEqual(new Set([200]));
  }, 60_000);

  it('after FLUSHALL of Redis', async () => {
    const redis = connectRedis(system.redisUrl, 'background', () => undefined);
    await redis.flushall();
    redis.disconnect();
    const vault = new VaultClient({
      address: `http://127.0.0.1:${env['VAULT_PORT']}`,
      token: readFileSync(join(system.dataDir, 'vault/root-token'), 'utf8').trim(),
    });
    const revisions = new Set<string>();
    // A call through the proxy would ask for a refresh itself.
    await vi.waitFor(
      async () => {
        const held = await vault.getCredentials(system.run.tenantId, system.run.integration);
        revisions.add(held.metadata.revision);
        expect(revisions.size).toBe(3);
      },
      { timeout: 30_000, interval: 200 },
    );
    await vault.close();
  }, 60_000);
});
