import {
  createLogger,
  newMetadata,
  refreshQueueName,
  type CredentialId,
  type RefreshJobData,
  type StoredCredential,
  type VaultClient,
} from '@connectors/vault-core';
import { UnrecoverableError, Worker } from 'bullmq';
import { Registry } from 'prom-client';
import { expect, onTestFinished } from 'vitest';
import { createRefreshMetrics, openEngine } from '../../src/index.ts';
import { askForPass } from '../../src/sweep/keep-sweeping.ts';
import { Passes } from '../../src/sweep/passes.ts';
import { tenantQueueName } from '../../src/sweep/tenants.ts';
import { limits, startRefresh, type RefreshWorld } from '../start-refresh.ts';
import { sinkInto } from '../start-workers.ts';

interface SweepLine {
  msg: string;
  speed: string;
  tenants: number;
  restored: number;
  calls: number;
  seconds: number;
}

interface WorkerOptions {
  intervalMs?: number;
  callsPerSecond?: number;
  vault?: VaultClient;
}

const hour = 60 * 60_000;

/** Vault and Redis, tenants in any number, and workers that sweep them; all of it ends with the test. */
export async function startSweeps() {
  const world = await startRefresh();
  onTestFinished(() => world.close());
  const passes = new Passes(world.redis, 'connectors');
  const tenantQueue = world.queues.queue(tenantQueueName);

  return {
    ...world,
    passes,
    tenantQueue,

    /** A worker, and what it says. */
    start({ intervalMs = hour, callsPerSecond = 1_000, vault = world.vault }: WorkerOptions = {}) {
      const lines: string[] = [];
      const metrics = createRefreshMetrics([new Registry()]);
      const worker = openEngine({
        vault,
        redisUrl: world.redisServer.url,
        prefix: 'connectors',
        integrations: world.integrations,
        guard: world.guard,
        settings: {
          concurrency: 10,
          sweepIntervalMs: intervalMs,
          sweepCallsPerSecond: callsPerSecond,
          lockMs: 30_000,
          stalledMs: 30_000,
          limits,
        },
        metrics,
        log: createLogger('worker', 'debug', sinkInto(lines)),
      });
      worker.start();
      let closing: Promise<void> | undefined;
      const stop = (): Promise<void> => (closing ??= worker.close());
      onTestFinished(stop);
      const said = () => lines.map((line) => JSON.parse(line) as SweepLine);
      const completed = () => said().filter(({ msg }) => msg === 'sweep completed');
      return { ...worker, said, completed, stop, metrics };
    },

    /** Looks whether a pass is due, as every worker does on a timer. */
    async ask(intervalMs = hour): Promise<void> {
      const metrics = createRefreshMetrics([new Registry()]);
      await askForPass({ engine: world.newEngine(), passes, metrics, sweepIntervalMs: intervalMs });
    },

    /** Stores a credential that is good for an hour, and leaves its job to a sweep. */
    async store(id: CredentialId): Promise<RefreshJobData> {
      const credential = newCredential(id.integration);
      await world.vault.credentials.replace(id, credential);
      return { ...id, revision: credential.metadata.revision };
    },

    /** Folders of tenants without credentials. */
    async makeFolders(count: number): Promise<void> {
      const { url, rootToken } = world.vaultServer;
      const names = Array.from({ length: count }, (_, index) => `folder-${index}`);
      const write = (name: string) =>
        fetch(`${url}/v1/secret/data/${name}/_`, {
          method: 'POST',
          headers: { 'x-vault-token': rootToken },
          body: '{"data":{}}',
        }).then((answer) => answer.arrayBuffer());
      while (names.length > 0) await Promise.all(names.splice(0, 50).map(write));
    },

    /** The pass under way, once it is beyond its first tenants. */
    async underWay() {
      await expect.poll(async () => (await passes.look()).current?.position.tenant).toMatch(/./);
      return (await passes.look()).current;
    },
  };
}

/** A worker takes what is due, and so many jobs fail for good. */
export async function failDue({ redis, queues }: RefreshWorld, count: number): Promise<void> {
  const refuse = (): Promise<never> => Promise.reject(new UnrecoverableError('invalid_grant'));
  const queue = refreshQueueName('demo');
  const worker = new Worker(queue, refuse, { connection: redis, prefix: 'connectors' });
  await expect.poll(() => queues.queue(queue).getFailedCount()).toBe(count);
  await worker.close();
}

function newCredential(integration: string): StoredCredential {
  return {
    accessToken: 'vault:v1:none',
    refreshToken: 'vault:v1:none',
    expiresAt: new Date(Date.now() + hour).toISOString(),
    scopes: [],
    tokenType: 'Bearer',
    metadata: newMetadata(integration, 'test', new Date()),
  };
}
