export type { RefreshEngine, RefreshLimits } from './engine.ts';
export type { RefreshOutcome } from './outcome.ts';
export { refreshCredential } from './refresh.ts';
export { refreshNow, type RequestOutcome } from './refresh-now.ts';
export { jitterMs, leadMs, refreshDueAt } from './schedule.ts';
export { scheduleRefresh, storeGranted } from './store.ts';
export { sweepTenant, type SweepReport } from './sweep.ts';
export { Spool } from './spool.ts';
