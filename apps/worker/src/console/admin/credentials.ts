import type { FastifyReply } from 'fastify';
import { answerProblem } from '../problem.ts';
import type { Connections } from '../connections.ts';
import { credentialView } from '../credential-view.ts';
import {
  credentialList,
  credentialParams,
  credentialQuery,
  disconnectReport,
  refreshQuery,
  refreshReport,
} from './credential-schemas.ts';
import { tenantParams } from './webhook-schemas.ts';
import type { ZodRoutes } from './zod-routes.ts';

export interface CredentialRoutes {
  connections: Connections;
}

const all = '/tenants/:tenantId/credentials';
const one = `${all}/:integration`;

/** A tenant's credentials: what they are in, never a token. */
export function registerCredentials(app: ZodRoutes, { connections }: CredentialRoutes): void {
  app.get(
    all,
    { schema: { params: tenantParams, querystring: credentialQuery, response: { 200: credentialList } } },
    async ({ params, query }) => ({ items: await connections.list(params.tenantId, query) }),
  );

  app.get(
    one,
    { schema: { params: credentialParams, response: { 200: credentialView } } },
    async ({ params }, reply) => (await connections.view(params)) ?? notFound(reply),
  );

  app.post(
    `${one}/refresh`,
    {
      schema: {
        params: credentialParams,
        querystring: refreshQuery,
        response: { 200: refreshReport, 202: refreshReport },
      },
    },
    async ({ params, query }, reply) => {
      const report = await connections.refresh(params, query.wait * 1000);
      if (report === undefined) return notFound(reply);
      const isOver = ['refreshed', 'failed'].includes(report.outcome);
      return reply.code(isOver ? 200 : 202).send(report);
    },
  );

  app.delete(
    one,
    { schema: { params: credentialParams, response: { 200: disconnectReport } } },
    ({ params }) => connections.disconnect(params),
  );
}

function notFound(reply: FastifyReply): FastifyReply {
  return answerProblem(reply, 404, 'This tenant has not connected this integration.');
}
