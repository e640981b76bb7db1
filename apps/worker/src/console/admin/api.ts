import { EgressRefusedError } from '@connectors/egress';
import { ConnectorsError, errorTable, VaultError } from '@connectors/vault-core';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { answerProblem, tellRetryAfter } from '../problem.ts';
import type { AdminSessions } from '../session.ts';
import type { WrongTokens } from '../wrong-tokens.ts';
import { registerAgents, type AgentRoutes } from './agents.ts';
import { requireAdminToken } from './bearer.ts';
import { registerCredentials, type CredentialRoutes } from './credentials.ts';
import { AlreadyCreatedError } from './idempotency.ts';
import { registerIntegrations, type IntegrationRoutes } from './integrations.ts';
import { registerOverview, type OverviewRoutes } from './overview.ts';
import { registerTenants, type TenantRoutes } from './tenants.ts';
import { registerEvents, type EventRoutes } from './events.ts';
import { registerClients, type ClientRoutes } from './clients.ts';
import type { OpenApiDocument } from './openapi-document.ts';
import { openApiDocument, type DocumentedRoute } from './openapi.ts';
import { useZod, type DocumentedSchema } from './zod-routes.ts';
import { registerConnectSessions, type ConnectSessionRoutes } from '../connect/connect-sessions.ts';
import { registerWebhooks, type WebhookRoutes } from './webhooks.ts';

export interface AdminApi
  extends
    AgentRoutes,
    ClientRoutes,
    ConnectSessionRoutes,
    CredentialRoutes,
    EventRoutes,
    WebhookRoutes,
    IntegrationRoutes,
    OverviewRoutes,
    TenantRoutes {
  sessions: AdminSessions;
  wrongTokens: WrongTokens;
}

/**
 * The operator's API, for programs: the admin token as a Bearer token, and nothing that a browser would send by itself, so
 * that no foreign page can use it.
 */
export function registerAdminApi(app: FastifyInstance, options: AdminApi): OpenApiDocument {
  app.addHook('onRequest', requireAdminToken(options));
  app.setErrorHandler(answerError);
  // A body is JSON, or refused. Some clients name the type of a body that they do not have.
  app.removeAllContentTypeParsers();
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string', bodyLimit: 64 * 1024 },
    (request, body: string, done) => (body === '' ? done(null) : parseJson(request, body, done)),
  );
  const documented = collectRoutes(app);
  const routes = useZod(app);
  registerAgents(routes, options);
  registerIntegrations(routes, options);
  registerOverview(routes, options);
  registerTenants(routes, options);
  registerCredentials(routes, options);
  registerEvents(routes, options);
  registerClients(routes, options);
  registerWebhooks(routes, options);
  registerConnectSessions(routes, options);
  const document = openApiDocument(documented);
  app.get('/openapi.json', () => document);
  return document;
}

/** The document that the API serves, for who has no console at hand. No handler of these routes ever runs. */
export async function describeAdminApi(): Promise<OpenApiDocument> {
  const app = Fastify();
  let document: OpenApiDocument | undefined;
  await app.register(
    async (scope) => {
      document = registerAdminApi(scope, {} as AdminApi);
    },
    { prefix: '/admin' },
  );
  if (document === undefined) throw new Error('the admin API was not registered');
  return document;
}

/** The routes that are registered from now on, for the document of the API. */
function collectRoutes(app: FastifyInstance): DocumentedRoute[] {
  const routes: DocumentedRoute[] = [];
  app.addHook('onRoute', ({ method, url, prefix, schema }) => {
    if (typeof method !== 'string' || method === 'HEAD') return;
    routes.push({ method, path: url.slice(prefix.length), schema: (schema ?? {}) as DocumentedSchema });
  });
  return routes;
}

/** What the caller can do something about; everything else is left to the console's own handler. */
function answerError(error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof EgressRefusedError)
    return answerProblem(reply, 400, `url: this address cannot be delivered to: ${error.reason}`);
  if (!(error instanceof ConnectorsError)) throw error;
  const { status, title } = errorTable[error.code];
  if (status === 500) throw error;
  tellRetryAfter(reply, error.retryAfterMs);
  const detail = error instanceof VaultError ? title : error.message;
  const more = error instanceof AlreadyCreatedError ? { id: error.id } : {};
  return answerProblem(reply, status, detail, error.code, more);
}
