export { countedMinutes } from './queue-worker.ts';
export type { RefreshEngine, RefreshLimits } from './engine.ts';
export { createRefreshMetrics, type RefreshMetrics } from './metrics.ts';
export { openEngine, type EngineOptions, type OpenEngine } from './open-engine.ts';
export { disconnect, type Disconnection } from './disconnect.ts';
export { connectMinted, type MintedConnection } from './mint.ts';
export {
  EventHistory,
  historyIdPattern,
  type HistoryEntry,
  type HistoryOf,
  type HistoryPage,
} from './history.ts';
export type { RefreshOutcome } from './outcome.ts';
export { revokeUnused } from './revoke.ts';
export { refreshCredential } from './refresh.ts';
export { refreshNow, type RequestOutcome } from './refresh-now.ts';
export { jitterMs, leadMs, refreshDueAt } from './schedule.ts';
export { refreshFields, refreshRule, refreshSettings, type RefreshSettings } from './settings.ts';
export { scheduleRefresh, storeGranted } from './store.ts';
export { Passes } from './sweep/passes.ts';
export {
  indexedStates,
  StateIndex,
  type IndexedState,
  type StatesOfTenant,
  type TenantInState,
} from './state-index.ts';
export { stateAtRest } from './state-at-rest.ts';
export { passQueueName } from './sweep/run-pass.ts';
export { sweepTenant } from './sweep/sweep-tenant.ts';
export { tenantQueueName } from './sweep/tenants.ts';
export { Spool } from './spool.ts';
export { checkEndpointUrl } from './webhooks/endpoint-url.ts';
export { testMessage } from './webhooks/message.ts';
export { webhookQueueName, type DeliveryReport, type WebhookQueue } from './webhooks/queue.ts';
