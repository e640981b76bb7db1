import { indexedStates, type EventHistory, type RefreshEngine, type StateIndex } from '@connectors/refresh';
import { checkId, ConnectorsError, type AgentStore } from '@connectors/vault-core';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import type { ConnectLinks } from '../../connect/connect-links.ts';
import type { FormLocks } from '../../form-locks.ts';
import { sessionCookie } from '../../guard.ts';
import { answerErrorPage, foreignFormPage } from '../error-page.ts';
import type { EventStreams } from '../event-stream.ts';
import { htmlType } from '../html.ts';
import { sendLink } from '../link-page.ts';
import { readOverview, type OverviewDeps } from '../overview.ts';
import { agentsPage } from './agents-page.ts';
import { noOverviewPage, overviewPage } from './overview-page.ts';
import { tenantsPage, type TenantsPage } from './tenants-page.ts';

export interface OperatorPages {
  overview: OverviewDeps;
  engine: RefreshEngine;
  tenantStates: StateIndex;
  history: EventHistory;
  streams: EventStreams;
  agents: AgentStore;
  links: ConnectLinks;
  formLocks: FormLocks;
  isRedisUp: () => boolean;
  consoleUrl: string;
  log: Logger;
  now: () => number;
}

const perPage = 50;

/** The operator's pages. They have no sign-in of their own: register them behind one. */
export function registerOperatorPages(app: FastifyInstance, options: OperatorPages): void {
  app.setErrorHandler(answerErrorPage);
  app.addHook('onRequest', async (_request, reply) => void reply.type(htmlType));
  registerOverview(app, options);
  registerLists(app, options);
  registerLinks(app, options);
}

function registerOverview(app: FastifyInstance, options: OperatorPages): void {
  const { overview, history, streams, formLocks, isRedisUp, log, now } = options;

  app.get('/', async ({ cookies }, reply) => {
    try {
      if (isRedisUp()) {
        const [found, events] = await Promise.all([readOverview(overview), history.page({}, 12)]);
        const formToken = formLocks.field(cookies[sessionCookie] ?? '');
        return overviewPage({ overview: found, events: events.items, formToken, now: now() });
      }
    } catch (error) {
      // Redis may go while it is asked.
      log.warn({ err: error }, 'no overview');
    }
    return reply.code(503).send(noOverviewPage());
  });

  app.get('/events', { exposeHeadRoute: false }, (request, reply) => streams.send({}, request, reply));
}

function registerLists(app: FastifyInstance, options: OperatorPages): void {
  app.get<{ Querystring: Record<string, string> }>('/tenants', async ({ query }) =>
    tenantsPage(await findTenants(options, query)),
  );

  app.get<{ Querystring: Record<string, string> }>('/agents', async ({ query: { after } }) =>
    agentsPage(await options.agents.listPage(perPage, after), options.now()),
  );
}

async function findTenants(
  { engine, tenantStates }: OperatorPages,
  { state: wanted, prefix = '', after = '' }: Record<string, string>,
): Promise<TenantsPage> {
  const state = indexedStates.find((each) => each === wanted);
  if (state !== undefined) {
    const found = await tenantStates.tenantsIn(state, perPage);
    const tenants = found.map(({ tenantId, credentials }) => ({ tenantId, states: credentials }));
    return { tenants, prefix: '', state, next: undefined };
  }
  if (!/^[\w-]{0,64}$/.test(prefix))
    throw new ConnectorsError('invalid_request', 'prefix: is not one of an id');
  const page = await engine.credentials.listTenantPage(perPage, after === '' ? undefined : after, prefix);
  const tenants = page.tenants.map(async (tenantId) => {
    // Without Redis there is still a list.
    const states = await tenantStates.of(tenantId).catch(() => ({}));
    return { tenantId, states };
  });
  return { tenants: await Promise.all(tenants), prefix, state, next: page.next };
}

function registerLinks(app: FastifyInstance, options: OperatorPages): void {
  app.post('/links', async (request, reply): Promise<FastifyReply> => {
    if (!options.formLocks.open(request, request.cookies[sessionCookie] ?? ''))
      return reply.code(403).send(foreignFormPage('/'));
    const form = request.body as URLSearchParams;
    const tenantId = checkId('tenantId', form.get('tenant')?.trim() ?? '');
    return sendLink(options, reply, tenantId, form);
  });
}
