import { createRefreshMetrics } from '@connectors/refresh';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

/** The figures of a worker. No label names a tenant: a metric must not grow with the number of tenants. */
export type WorkerMetrics = ReturnType<typeof createMetrics>;

export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return { registry, ...createRefreshMetrics(registers), ...states(registers) };
}

function states(registers: Registry[]) {
  return {
    connects: new Counter({
      name: 'connectors_connects_total',
      help: 'Users who came back from a provider, by outcome',
      labelNames: ['integration', 'outcome'],
      registers,
    }),
    spooled: new Gauge({
      name: 'connectors_spool_entries',
      help: 'Token responses that Vault has not taken yet, encrypted in Redis',
      registers,
    }),
    jobs: new Gauge({
      name: 'connectors_refresh_jobs',
      help: 'Jobs in the refresh queues, by state',
      labelNames: ['integration', 'state'],
      registers,
    }),
    webhookJobs: new Gauge({
      name: 'connectors_webhook_jobs',
      help: 'Jobs in the webhook queue, by state; all but completed and failed ones are pending',
      labelNames: ['state'],
      registers,
    }),
    vaultUp: new Gauge({
      name: 'connectors_vault_up',
      help: '1 while Vault is initialised, unsealed and answering',
      registers,
    }),
    redisUp: new Gauge({ name: 'connectors_redis_up', help: '1 while Redis answers', registers }),
  };
}
