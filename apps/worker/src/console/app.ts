import cookie from '@fastify/cookie';
import type { Secret } from '@connectors/vault-core';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { Queue } from 'bullmq';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { registerAdminApi, type AdminApi } from './admin/api.ts';
import type { ConnectSessionRoutes } from './connect/connect-sessions.ts';
import { registerBoard } from './board.ts';
import { registerConnect, type ConnectDeps } from './connect/connect.ts';
import { ConnectLinks } from './connect/connect-links.ts';
import { ConnectStates } from './connect/connect-states.ts';
import { TenantSessions } from './connect/tenant-session.ts';
import { FormLocks } from './form-locks.ts';
import { guardConsole } from './guard.ts';
import { consoleHeaders, setConsoleHeaders } from './headers.ts';
import { Offboardings } from './offboardings.ts';
import { Issuer } from './oidc/issuer.ts';
import type { OidcSettings } from './oidc/oidc-settings.ts';
import { oidcCallbackPath, registerOidcSignIn } from './oidc/oidc-sign-in.ts';
import { SignInAttempts } from './oidc/sign-in-attempts.ts';
import { registerAssets } from './pages/assets.ts';
import { brokenPage, notFoundPage, wantsPage } from './pages/error-page.ts';
import { EventStreams } from './pages/event-stream.ts';
import { htmlType } from './pages/html.ts';
import { registerOperatorPages } from './pages/operator/operator.ts';
import type { OverviewDeps } from './pages/overview.ts';
import { registerTenantPages } from './pages/tenant/tenant.ts';
import { answerProblem } from './problem.ts';
import { AdminSessions } from './session.ts';
import { openSession, registerSignIn } from './sign-in.ts';
import { WrongTokens } from './wrong-tokens.ts';

export interface ConsoleDeps {
  /** What the operator signs in with; without one only health and metrics are served. */
  adminToken: Secret | undefined;
  /** Where the console is reached, for example `https://console.example.com`. */
  consoleUrl: string;
  /** Whether jobs may be retried, promoted and removed on the board. */
  boardWritable: boolean;
  /** How operators may sign in besides the admin token. */
  oidc: OidcSettings | undefined;
  adminApi: Omit<
    AdminApi,
    | Exclude<keyof ConnectSessionRoutes, 'idempotency'>
    | 'sessions'
    | 'wrongTokens'
    | 'offboardings'
    | 'log'
    | 'now'
  >;
  connect: ConnectDeps;
  overview: OverviewDeps;
  openBoardQueues: () => Queue[];
  isRedisUp: () => boolean;
  metrics: Registry;
  /** Refreshes the figures that are looked up rather than counted, before each scrape. */
  collect: () => Promise<void>;
  /** Which of its parts are in working order. */
  health: () => Promise<{ vault: boolean; redis: boolean }>;
  log: Logger;
  now: () => number;
}

/** The worker's own port: health, metrics, and the operator's console with the board of refresh jobs. */
export async function buildConsole(deps: ConsoleDeps): Promise<FastifyInstance> {
  // A page that polls, or waits for Redis, must not hold up the end of the process.
  const app = Fastify({
    logger: false,
    forceCloseConnections: true,
    // Longer than any id, so that one that is too long is told the rule.
    routerOptions: { maxParamLength: 1_000 },
    // No route is looked for, and so no hook runs.
    frameworkErrors: (_error, request, reply) => {
      setConsoleHeaders(request, reply);
      void answerProblem(reply, 400, 'The URL is malformed, or an id in it is too long.');
    },
  });
  registerFallbacks(app, deps);
  registerHealth(app, deps);
  const { adminToken } = deps;
  if (adminToken !== undefined) await app.register((scope) => registerConsole(scope, deps, adminToken));
  return app;
}

/** What is answered where no route does. */
function registerFallbacks(app: FastifyInstance, { adminToken, log }: ConsoleDeps): void {
  const isForPeople = (request: FastifyRequest): boolean => adminToken !== undefined && wantsPage(request);
  app.setNotFoundHandler((request, reply) => {
    if (!isForPeople(request)) return answerProblem(reply, 404, 'There is nothing here.');
    setConsoleHeaders(request, reply);
    return reply.code(404).type(htmlType).send(notFoundPage());
  });
  app.setErrorHandler((error: { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status < 500) return answerProblem(reply, status, 'The request is malformed.');
    log.error({ err: error }, 'console error');
    if (isForPeople(request)) return reply.code(500).type(htmlType).send(brokenPage());
    return answerProblem(reply, 500, 'Something went wrong here; the log says where.');
  });
}

function registerHealth(app: FastifyInstance, deps: ConsoleDeps): void {
  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const { vault, redis } = await deps.health();
    const isReady = vault && redis;
    return reply
      .code(isReady ? 200 : 503)
      .send({ status: isReady ? 'ok' : 'unavailable', vault: word(vault), redis: word(redis) });
  });
  app.get('/metrics', async (_request, reply) => {
    await deps.collect();
    return reply.type(deps.metrics.contentType).send(await deps.metrics.metrics());
  });
}

function word(isUp: boolean): 'ok' | 'down' {
  return isUp ? 'ok' : 'down';
}

async function registerConsole(app: FastifyInstance, deps: ConsoleDeps, adminToken: Secret): Promise<void> {
  const parts = consoleParts(deps, adminToken);
  const { connect, adminApi, oidc } = deps;
  await app.register(cookie);
  app.addHook('onRequest', consoleHeaders);
  registerAssets(app);
  registerSignIn(app, { ...parts, issuerHost: oidc && new URL(oidc.issuer).host });
  if (oidc !== undefined) registerOidc(app, deps, oidc, parts.sessions, adminToken);
  await app.register(async (scope) => registerAdminApi(scope, { ...adminApi, ...connect, ...parts }), {
    prefix: '/admin',
  });
  const forUsers = { ...connect, ...parts, sessions: parts.tenantSessions };
  await app.register(async (scope) => registerConnect(scope, forUsers));
  await app.register(async (scope) => registerTenantPages(scope, { ...adminApi, ...forUsers }));
  await app.register(async (scope) => {
    scope.addHook('onRequest', guardConsole({ ...parts, writable: true }));
    registerOperatorPages(scope, { ...deps, ...adminApi, ...connect, ...parts });
  });
  await app.register(async (scope) => registerBoardPages(scope, deps, parts));
}

type ConsoleParts = ReturnType<typeof consoleParts>;

/** What several kinds of pages need. */
function consoleParts({ connect, consoleUrl, adminApi, log, now }: ConsoleDeps, adminToken: Secret) {
  const { origin } = new URL(consoleUrl);
  const sessions = new AdminSessions(adminToken, now);
  const secure = origin.startsWith('https:');
  const offboardings = new Offboardings(connect.redis, connect.prefix);
  return {
    sessions,
    tenantSessions: new TenantSessions({ adminToken, adminSessions: sessions, secure, now }),
    wrongTokens: new WrongTokens(now),
    formLocks: new FormLocks(adminToken, origin),
    offboardings,
    links: new ConnectLinks(connect.redis, connect.prefix, offboardings),
    states: new ConnectStates(connect.redis, connect.prefix, offboardings, adminToken),
    streams: new EventStreams(adminApi.history),
    consoleUrl,
    origin,
    log,
    now,
  };
}

/** The board of refresh jobs, with scripts and requests of its own. */
async function registerBoardPages(
  app: FastifyInstance,
  deps: ConsoleDeps,
  parts: ConsoleParts,
): Promise<void> {
  app.addHook('onRequest', guardConsole({ ...parts, writable: deps.boardWritable }));
  // The board's own connection waits for Redis, and its user would wait with it.
  app.addHook('preHandler', async (request, reply) => {
    if (request.url.startsWith('/board/api/') && !deps.isRedisUp())
      return answerProblem(reply, 503, 'Redis does not answer.');
  });
  await registerBoard(app, deps.openBoardQueues(), deps.boardWritable);
}

function registerOidc(
  app: FastifyInstance,
  { consoleUrl, adminApi: { guard }, log, now }: ConsoleDeps,
  settings: OidcSettings,
  sessions: AdminSessions,
  adminToken: Secret,
): void {
  const { origin } = new URL(consoleUrl);
  registerOidcSignIn(app, {
    issuer: new Issuer({ ...settings, guard, redirectUri: `${consoleUrl}${oidcCallbackPath}` }),
    allow: settings.allow,
    attempts: new SignInAttempts(adminToken, now),
    openSession: (reply) => openSession(reply, sessions, origin),
    isSecure: origin.startsWith('https:'),
    log,
  });
}
