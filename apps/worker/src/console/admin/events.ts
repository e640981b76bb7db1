import { historyIdPattern, type EventHistory } from '@connectors/refresh';
import { eventSchema, orQueueUnavailable } from '@connectors/vault-core';
import { z } from 'zod';
import { limit, tenantParams } from './params.ts';
import type { ZodRoutes } from './zod-routes.ts';

export interface EventRoutes {
  history: EventHistory;
}

const eventQuery = z.strictObject({
  limit,
  before: z
    .string()
    .regex(historyIdPattern, 'must be the id of an event')
    .exactOptional()
    .describe('`next` of the previous page.'),
});

const place = {
  id: z.string().describe('Its position: later events have greater ids.'),
  at: z.string().describe('When it was announced.'),
};

/** What happened: ids, times and codes. */
const event = z.union(eventSchema.options.map((option) => option.extend(place))).meta({ id: 'Event' });

const eventPage = z.object({
  items: z.array(event),
  next: z.string().exactOptional().describe('The `before` of the next page.'),
});

/** What happened lately, the newest first. */
export function registerEvents(app: ZodRoutes, { history }: EventRoutes): void {
  const schema = { querystring: eventQuery, response: { 200: eventPage } };
  const page = (tenantId: string | undefined, { limit, before }: z.infer<typeof eventQuery>) =>
    orQueueUnavailable(history.page({ tenantId }, limit, before));

  const list = { ...schema, operationId: 'listEvents', summary: 'The latest events of all tenants.' };
  app.get('/events', { schema: list }, ({ query }) => page(undefined, query));

  const ofTenant = {
    ...schema,
    operationId: 'listTenantEvents',
    summary: 'The latest events of a tenant.',
    params: tenantParams,
  };
  app.get('/tenants/:tenantId/events', { schema: ofTenant }, ({ params, query }) =>
    page(params.tenantId, query),
  );
}
