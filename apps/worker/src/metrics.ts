import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The figures of a worker. No label names a tenant: a metric must not grow with the number of tenants. */
export type WorkerMetrics = ReturnType<typeof createMetrics>;

export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return { registry, ...counters(registers), ...durations(registers), ...states(registers) };
}

function counters(registers: Registry[]) {
  return {
    refreshes: new Counter({
      name: 'connectors_refreshes_total',
      help: 'Refresh attempts by what became of them',
      labelNames: ['integration', 'outcome'],
      registers,
    }),
    requests: new Counter({
      name: 'connectors_refresh_requests_total',
      help: 'Requests to refresh a credential now, by what became of them',
      labelNames: ['integration', 'outcome'],
      registers,
    }),
    unsaved: new Counter({
      name: 'connectors_unsaved_tokens_total',
      help: 'Failed tries to save tokens that a provider has just issued; they are tried again',
      labelNames: ['integration'],
      registers,
    }),
  };
}

function durations(registers: Registry[]) {
  return {
    refreshDuration: new Histogram({
      name: 'connectors_refresh_duration_seconds',
      help: 'Duration of a refresh, from reading the credential to its next schedule',
      labelNames: ['integration'],
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    remainingLife: new Histogram({
      name: 'connectors_refresh_remaining_life_seconds',
      help: 'How long the old token would have lived when its refresh began; below 0 an agent may have been held up',
      labelNames: ['integration'],
      buckets: [-60, 0, 5, 15, 30, 60, 120, 240, 300, 360],
      registers,
    }),
  };
}

function states(registers: Registry[]) {
  return {
    spooled: new Gauge({
      name: 'connectors_spool_entries',
      help: 'Token responses that Vault has not taken yet, encrypted in Redis',
      registers,
    }),
    jobs: new Gauge({
      name: 'connectors_refresh_jobs',
      help: 'Jobs in the refresh queues by state',
      labelNames: ['integration', 'state'],
      registers,
    }),
    lastSweep: new Gauge({
      name: 'connectors_last_sweep_timestamp_seconds',
      help: 'When this worker last listed the tenants for a sweep',
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
