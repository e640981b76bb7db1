import { ConnectorsError, errorTable } from '@connectors/vault-core';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Connections } from '../connections.ts';
import { credentialView } from '../credential-view.ts';
import { offboard, type OffboardDeps } from '../offboard.ts';
import { next, pageQuery, tenantParams } from './params.ts';
import type { ZodRoutes } from './zod-routes.ts';

export interface TenantRoutes extends OffboardDeps {
  connections: Connections;
  log: Logger;
}

const tenantPage = z.object({ items: z.array(z.object({ id: z.string() })), next });

const tenant = z.object({ id: z.string(), credentials: z.array(credentialView) });

const offboarding = z.object({
  credentials: z.int().describe('How many there were.'),
  revoked: z.int().describe('How many of them were revoked at their provider.'),
  failed: z
    .int()
    .describe('How many may still work there, because their provider could not be asked, or refused.'),
  agents: z.array(z.string()).describe('Ids of agents whose grants name the tenant. They stay as they are.'),
});

const one = '/tenants/:tenantId';

/** A tenant is whoever has, or had, a credential. */
export function registerTenants(app: ZodRoutes, options: TenantRoutes): void {
  const { engine, connections, log } = options;

  const list = {
    operationId: 'listTenants',
    summary: 'All tenants that ever had a credential, in pages.',
    querystring: pageQuery,
    response: { 200: tenantPage },
  };
  app.get('/tenants', { schema: list }, async ({ query }) => {
    const { tenants, ...rest } = await engine.credentials.listTenantPage(query.limit, query.after);
    return { items: tenants.map((tenantId) => ({ id: tenantId })), ...rest };
  });

  const get = {
    operationId: 'getTenant',
    summary: 'A tenant and its credentials; an unknown tenant has none.',
    params: tenantParams,
    response: { 200: tenant },
  };
  app.get(one, { schema: get }, async ({ params: { tenantId } }) => ({
    id: tenantId,
    credentials: await connections.list(tenantId),
  }));

  const remove = {
    operationId: 'offboardTenant',
    summary:
      'Ends a tenant: revokes its tokens at their providers, deletes its documents, jobs and webhooks, and finally its keys, without which none of its data can be read anywhere. May be repeated.',
    params: tenantParams,
    response: { 200: offboarding },
  };
  app.delete(one, { schema: remove }, async ({ params: { tenantId } }) => {
    const report = await offboard(options, tenantId).catch(unfinished);
    log.info({ tenantId, ...report }, 'tenant offboarded');
    return report;
  });
}

/** Half of an offboarding is none: who asked for it has to know. */
function unfinished(error: unknown): never {
  if (!(error instanceof ConnectorsError) || errorTable[error.code].status !== 503) throw error;
  const { code, retryAfterMs } = error;
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  const detail = `${errorTable[code].title}: the offboarding is not finished. Repeat it.`;
  throw new ConnectorsError(code, detail, { ...wait, cause: error });
}
