import { EgressRefusedError, type EgressReason } from '@connectors/egress';
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

const bodyLimit = 64 * 1024;

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
  app.setErrorHandler(answerError(options));
  // A body is JSON, or refused. Some clients name the type of a body that they do not have.
  app.removeAllContentTypeParsers();
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string', bodyLimit },
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
function answerError({ log }: Pick<AdminApi, 'log'>) {
  return (error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    if (error instanceof EgressRefusedError)
      return answerProblem(reply, 400, `url: ${addressRules[error.reason]} (${error.reason})`);
    if (!(error instanceof ConnectorsError)) {
      const { statusCode = 500 } = error as { statusCode?: number };
      const detail = bodyRules[statusCode];
      if (detail === undefined) throw error;
      return answerProblem(reply, statusCode, detail);
    }
    const { status, title } = errorTable[error.code];
    if (status === 500) throw error;
    // The caller is told no more than that it is so; which of its ways to be so is for who looks after Vault and Redis.
    if (status === 503) log.warn({ code: error.code, reason: reasonOf(error) }, 'admin API unavailable');
    tellRetryAfter(reply, error.retryAfterMs);
    const detail = error instanceof VaultError ? title : error.message;
    const more = error instanceof AlreadyCreatedError ? { id: error.id } : {};
    return answerProblem(reply, status, detail, error.code, more);
  };
}

/** Of addresses that something is sent to. */
const addressRules: Readonly<Record<EgressReason, string>> = {
  invalid_url: 'must be a whole address',
  not_https: 'must begin with https://',
  credentials_in_url: 'must hold no user and no password',
  port_not_allowed: 'must have a port that EGRESS_ALLOW_HOSTS of the worker names for its host',
  address_not_public:
    'must be reachable from the public internet, or named in EGRESS_ALLOW_HOSTS of the worker',
};

/** What a body has to be before its fields are looked at, by the status of one that is not. */
const bodyRules: Readonly<Record<number, string>> = {
  400: 'body: must be JSON, and none of its fields may be named __proto__ or constructor',
  413: `body: must be no larger than ${bodyLimit / 1024} KiB`,
  415: 'Content-Type: must be application/json',
};

/** Names the call that failed, never what it said. */
function reasonOf(error: ConnectorsError): string {
  if (error instanceof VaultError) return error.message;
  return error.cause instanceof Error ? error.cause.message : error.message;
}
