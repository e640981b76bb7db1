import {
  countedMinutes,
  indexedStates,
  webhookQueueName,
  type IndexedState,
  type Spool,
  type StateIndex,
  type TenantInState,
} from '@connectors/refresh';
import { refreshQueueName, type RefreshJobData, type RefreshQueues } from '@connectors/vault-core';
import { addUp, perMinute } from '../per-minute.ts';

/** What is going on, for the operator's first page. Ids, times and codes. */
export interface Overview {
  /** How many there are in each state; a tenant is in that of the worst of its credentials. */
  tenants: Record<IndexedState, number>;
  /** Tenants that are not in order: the worst first, and of those the latest. */
  needSomebody: TenantInState[];
  /** How many refresh jobs ended in each of the last minutes, the current one last. */
  refreshes: { completed: number[]; failed: number[] };
  integrations: IntegrationState[];
  /** Token responses that Vault has not taken yet. */
  spooled: { job: RefreshJobData; since: string | undefined }[];
  webhooks: QueueState;
}

export interface QueueState {
  due: number;
  active: number;
  scheduled: number;
  failed: number;
}

export interface IntegrationState extends QueueState {
  id: string;
  /** For how many milliseconds more its provider has asked us to wait; 0 if it has not. */
  throttledForMs: number;
}

export interface OverviewDeps {
  queues: RefreshQueues;
  spool: Spool;
  states: StateIndex;
  integrations: readonly string[];
  now: () => number;
}

/** How many tenants that need somebody are shown. */
const shown = 20;

export async function readOverview(deps: OverviewDeps): Promise<Overview> {
  const { queues, spool, states, integrations } = deps;
  const [tenants, needSomebody, completed, failed, read, spooled, webhooks] = await Promise.all([
    states.count(),
    findTroubled(states),
    countRefreshes(deps, 'completed'),
    countRefreshes(deps, 'failed'),
    Promise.all(integrations.map((id) => readIntegration(queues, id))),
    spool.entries(),
    readQueue(queues, webhookQueueName),
  ]);
  return { tenants, needSomebody, refreshes: { completed, failed }, integrations: read, spooled, webhooks };
}

async function findTroubled(states: StateIndex): Promise<TenantInState[]> {
  const troubled = indexedStates.filter((state) => state !== 'active');
  const found = await Promise.all(troubled.map((state) => states.tenantsIn(state, shown)));
  return found.flat().slice(0, shown);
}

async function countRefreshes(
  { queues, integrations, now }: OverviewDeps,
  end: 'completed' | 'failed',
): Promise<number[]> {
  const rows = integrations.map(async (integration) =>
    perMinute(await queues.queue(refreshQueueName(integration)).getMetrics(end), now(), countedMinutes),
  );
  return addUp(await Promise.all(rows), countedMinutes);
}

async function readIntegration(queues: RefreshQueues, id: string): Promise<IntegrationState> {
  const state = await readQueue(queues, refreshQueueName(id));
  return { id, ...state, throttledForMs: await queues.throttledForMs(id) };
}

async function readQueue(queues: RefreshQueues, name: string): Promise<QueueState> {
  const counts = await queues.queue(name).getJobCounts('wait', 'prioritized', 'active', 'delayed', 'failed');
  const of = (state: string): number => counts[state] ?? 0;
  return {
    due: of('wait') + of('prioritized'),
    active: of('active'),
    scheduled: of('delayed'),
    failed: of('failed'),
  };
}
