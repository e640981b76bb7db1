import { indexedStates } from '@connectors/refresh';
import { orQueueUnavailable } from '@connectors/vault-core';
import { z } from 'zod';
import { readOverview, type OverviewDeps } from '../pages/overview.ts';
import type { ZodRoutes } from './zod-routes.ts';

export interface OverviewRoutes {
  overview: OverviewDeps;
}

const tenants = z.object(
  Object.fromEntries(indexedStates.map((state) => [state, z.int()])) as Record<
    (typeof indexedStates)[number],
    z.ZodInt
  >,
);

const queue = {
  due: z.int(),
  active: z.int(),
  scheduled: z.int(),
  failed: z.int().describe('Not retried until somebody acts.'),
};

const minutes = z.array(z.int()).describe('One figure per minute, the current minute last.');

const overview = z.object({
  tenants: tenants.describe('How many are in each state. A tenant’s state is that of its worst credential.'),
  needSomebody: z
    .array(
      z.object({
        tenantId: z.string(),
        since: z.string(),
        credentials: z.array(
          z.object({ integration: z.string(), state: z.enum(indexedStates), reason: z.string().optional() }),
        ),
      }),
    )
    .describe('Tenants that are not in order, 20 at most: those whose user has to connect again first.'),
  refreshes: z.object({ completed: minutes, failed: minutes }).describe('Refresh jobs that ended.'),
  queues: z.array(z.object({ integration: z.string(), ...queue, throttledForMs: z.int() })),
  webhooks: z.object(queue),
  spool: z.object({
    entries: z.int().describe('Token responses that Vault has not taken yet.'),
    oldest: z.string().optional(),
  }),
});

/** What is going on, from Redis alone: it costs the same with ten tenants and with ten thousand. */
export function registerOverview(app: ZodRoutes, { overview: deps }: OverviewRoutes): void {
  const schema = {
    operationId: 'getOverview',
    summary: 'Tenants by state, refreshes per minute, queues, spool, and what needs somebody.',
    response: { 200: overview },
  };
  app.get('/overview', { schema }, async () => {
    const found = await orQueueUnavailable(readOverview(deps));
    const { tenants: counts, refreshes, integrations, webhooks, spooled } = found;
    const [oldest] = spooled
      .map(({ since }) => since)
      .filter((since) => since !== undefined)
      .toSorted();
    return {
      tenants: counts,
      needSomebody: found.needSomebody.map(({ tenantId, since, credentials }) => ({
        tenantId,
        since: new Date(since).toISOString(),
        credentials: Object.entries(credentials).map(([integration, state]) => ({ integration, ...state })),
      })),
      refreshes,
      queues: integrations.map(({ id, ...state }) => ({ integration: id, ...state })),
      webhooks,
      spool: { entries: spooled.length, ...(oldest === undefined ? {} : { oldest }) },
    };
  });
}
