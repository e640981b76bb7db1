import { historyIdPattern, type EventHistory } from '@connectors/refresh';
import { orQueueUnavailable } from '@connectors/vault-core';
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
    .describe('`next` of the page before.'),
});

/** What happened: ids, times and codes. */
const event = z.looseObject({
  id: z.string(),
  at: z.string(),
  type: z.string(),
  tenantId: z.string().exactOptional(),
  integration: z.string().exactOptional(),
});

const eventPage = z.object({
  items: z.array(event),
  next: z.string().exactOptional().describe('What `before` is for the next page.'),
});

/** What happened lately, the newest first. */
export function registerEvents(app: ZodRoutes, { history }: EventRoutes): void {
  const schema = { querystring: eventQuery, response: { 200: eventPage } };
  const page = (tenantId: string | undefined, { limit, before }: z.infer<typeof eventQuery>) =>
    orQueueUnavailable(history.page({ tenantId }, limit, before));

  app.get('/events', { schema }, ({ query }) => page(undefined, query));

  app.get('/tenants/:tenantId/events', { schema: { ...schema, params: tenantParams } }, ({ params, query }) =>
    page(params.tenantId, query),
  );
}
