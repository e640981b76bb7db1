import { webhookQueueName, type Spool } from '@connectors/refresh';
import { refreshQueueName, type RefreshQueues, type VaultClient } from '@connectors/vault-core';
import type { Redis } from 'ioredis';
import type { WorkerMetrics } from './metrics.ts';

export interface HealthDeps {
  vault: VaultClient;
  redis: Redis;
  queues: RefreshQueues;
  spool: Spool;
  integrations: Iterable<string>;
  metrics: WorkerMetrics;
}

export async function checkHealth({ vault, redis }: HealthDeps): Promise<{ vault: boolean; redis: boolean }> {
  const [vaultUp, redisUp] = await Promise.all([
    vault.healthCheck(),
    redis.ping().then(
      () => true,
      () => false,
    ),
  ]);
  return { vault: vaultUp, redis: redisUp };
}

/** Looks up the figures that are states rather than counts. */
export async function collectStates(deps: HealthDeps): Promise<void> {
  const { metrics } = deps;
  const health = await checkHealth(deps);
  metrics.vaultUp.set(Number(health.vault));
  metrics.redisUp.set(Number(health.redis));
  try {
    metrics.spooled.set((await deps.spool.list()).length);
    for (const integration of deps.integrations) {
      const counts = await deps.queues.queue(refreshQueueName(integration)).getJobCounts();
      for (const [state, count] of Object.entries(counts)) metrics.jobs.set({ integration, state }, count);
    }
    const counts = await deps.queues.queue(webhookQueueName).getJobCounts();
    for (const [state, count] of Object.entries(counts)) metrics.webhookJobs.set({ state }, count);
  } catch {
    // Without Redis the number of jobs is not zero but unknown.
    metrics.jobs.reset();
    metrics.webhookJobs.reset();
  }
}
