import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { createWebhookMetrics } from './webhooks/metrics.ts';

/** The figures of refreshing and of webhooks. No label names a tenant: a metric must not grow with the number of tenants. */
export type RefreshMetrics = ReturnType<typeof createRefreshMetrics>;

/** The metrics of refreshes and sweeps. */
export function createRefreshMetrics(registers: Registry[]) {
  return {
    ...counters(registers),
    ...durations(registers),
    ...createWebhookMetrics(registers),
    lastSweep: new Gauge({
      name: 'connectors_last_sweep_timestamp_seconds',
      help: 'When the last sweep of all tenants was completed, by any worker',
      registers,
    }),
    lastSweepDuration: new Gauge({
      name: 'connectors_last_sweep_duration_seconds',
      help: 'How long the last completed sweep took, in seconds',
      registers,
    }),
  };
}

function counters(registers: Registry[]) {
  return {
    refreshes: new Counter({
      name: 'connectors_refreshes_total',
      help: 'Refresh attempts, by outcome',
      labelNames: ['integration', 'outcome'],
      registers,
    }),
    requests: new Counter({
      name: 'connectors_refresh_requests_total',
      help: 'Requests to refresh a credential now, by outcome',
      labelNames: ['integration', 'outcome'],
      registers,
    }),
    sweepFindings: new Counter({
      name: 'connectors_sweep_findings_total',
      help: 'What sweeps found: jobs restored, revived or removed; unreadable documents; tenants that failed',
      labelNames: ['finding'],
      registers,
    }),
    unsaved: new Counter({
      name: 'connectors_unsaved_tokens_total',
      help: 'Failed attempts to save tokens that a provider has just issued; they are retried',
      labelNames: ['integration'],
      registers,
    }),
  };
}

function durations(registers: Registry[]) {
  return {
    refreshDuration: new Histogram({
      name: 'connectors_refresh_duration_seconds',
      help: 'Duration of a refresh, from reading the credential to scheduling the next one, in seconds',
      labelNames: ['integration'],
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    remainingLife: new Histogram({
      name: 'connectors_refresh_remaining_life_seconds',
      help: 'Remaining life of the old token when its refresh began, in seconds; below 0 an agent may have had to wait',
      labelNames: ['integration'],
      buckets: [-60, 0, 5, 15, 30, 60, 120, 240, 300, 360],
      registers,
    }),
  };
}
