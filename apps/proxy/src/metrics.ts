import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { tally, timing } from './request-metrics.ts';

/** The figures of a proxy. No label names a tenant: a metric must not grow with the number of tenants. */
export type ProxyMetrics = ReturnType<typeof createMetrics>;

export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return { registry, ...counters(registers), ...durations(registers), ...states(registers) };
}

function counters(registers: Registry[]) {
  return {
    countRequest: tally({
      name: 'connectors_proxy_requests_total',
      help: 'Requests by integration and class of the status; `aborted` if the connection ended before the answer did',
      labelNames: ['integration', 'status'],
      registers,
    }),
    errors: new Counter({
      name: 'connectors_proxy_errors_total',
      help: 'Errors answered by the proxy itself, by code',
      labelNames: ['code'],
      registers,
    }),
    countCredential: tally({
      name: 'connectors_proxy_credentials_total',
      help: 'Credentials used, by where they came from: cache, source (Vault), or stale (from memory, while Vault was down)',
      labelNames: ['from'],
      registers,
    }),
    refreshRequests: new Counter({
      name: 'connectors_proxy_refresh_requests_total',
      help: 'Refreshes requested because a token was refused or about to expire',
      labelNames: ['integration'],
      registers,
    }),
    shed: new Counter({
      name: 'connectors_proxy_shed_total',
      help: 'Requests turned away because the proxy cannot keep up: its event loop (lag), or too many under way (requests)',
      labelNames: ['reason'],
      registers,
    }),
    replays: new Counter({
      name: 'connectors_proxy_replays_total',
      help: 'Requests that were sent again with a newer credential',
      registers,
    }),
  };
}

function durations(registers: Registry[]) {
  return {
    timeUpstream: timing({
      name: 'connectors_proxy_upstream_duration_seconds',
      help: 'Time until the upstream began its response, in seconds',
      labelName: 'integration',
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers,
    }),
    credentialReads: new Histogram({
      name: 'connectors_proxy_credential_read_seconds',
      help: 'Time to read and decrypt a credential in Vault, in seconds',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 20],
      registers,
    }),
  };
}

function states(registers: Registry[]) {
  return {
    inFlight: new Gauge({
      name: 'connectors_proxy_requests_in_flight',
      help: 'Requests being served, streams included',
      registers,
    }),
    cachedCredentials: new Gauge({
      name: 'connectors_proxy_cached_credentials',
      help: 'Credentials in memory',
      registers,
    }),
    shedShare: new Gauge({
      name: 'connectors_proxy_shed_share',
      help: 'Share of requests turned away because the event loop cannot keep up, from 0 to 0.9',
      registers,
    }),
    subscribed: new Gauge({
      name: 'connectors_proxy_events_subscribed',
      help: '1 while the proxy is subscribed to events',
      registers,
    }),
  };
}
