import type { Integration } from '@connectors/oauth';
import type { EventHistory } from '@connectors/refresh';
import { checkId } from '@connectors/vault-core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { ConnectLinks } from '../../connect/connect-links.ts';
import type { Connections } from '../../connections.ts';
import { answerErrorPage } from '../error-page.ts';
import type { EventStreams } from '../event-stream.ts';
import { htmlType } from '../html.ts';
import { sendLink } from '../link-page.ts';
import { disconnectNotice, findNotice, refreshNotice, type NoticeName } from './notices.ts';
import { admitGuest, type DoorOptions, type Guest } from './tenant-door.ts';
import { disconnectPage, leavePage, tenantPage } from './tenant-page.ts';

export interface TenantPages extends DoorOptions {
  connections: Connections;
  history: EventHistory;
  streams: EventStreams;
  links: ConnectLinks;
  integrations: ReadonlyMap<string, Integration>;
  consoleUrl: string;
  log: Logger;
  now: () => number;
}

const page = '/tenants/:tenantId';
const one = `${page}/:integration`;

/** How long a browser waits for a refresh that its user asked for. */
const refreshWaitMs = 10_000;

/** A tenant's own page, for its users and the operator. */
export function registerTenantPages(app: FastifyInstance, options: TenantPages): void {
  app.setErrorHandler(answerErrorPage);
  app.addHook('onRequest', async (_request, reply) => void reply.type(htmlType));
  registerPage(app, options);
  registerActions(app, options);
  registerLink(app, options);
}

function registerPage(app: FastifyInstance, options: TenantPages): void {
  const { connections, streams, now } = options;

  app.get<{ Querystring: Record<string, string> }>(page, async (request, reply) => {
    const guest = admitGuest(options, request, reply);
    if (guest === undefined) return reply;
    const { tenantId, session, formToken } = guest;
    const [credentials, events] = await Promise.all([
      connections.list(tenantId, { all: true }),
      readEvents(options, tenantId),
    ]);
    const about = credentials.find(({ integration }) => integration === request.query['about']);
    return tenantPage({
      tenantId,
      isOperator: session === undefined,
      user: session?.user,
      credentials,
      events,
      notice: about && findNotice(request.query['notice'] ?? '', about.name),
      formToken,
      now: now(),
    });
  });

  // A HEAD would hold a stream that nobody reads.
  app.get(`${page}/events`, { exposeHeadRoute: false }, (request, reply) => {
    const guest = admitGuest(options, request, reply);
    return guest === undefined ? reply : streams.send({ tenantId: guest.tenantId }, request, reply);
  });
}

/** Without Redis the page still shows what is stored. */
async function readEvents({ history, log }: TenantPages, tenantId: string) {
  try {
    return (await history.page({ tenantId }, 15)).items;
  } catch {
    log.warn({ tenantId }, 'no history');
    return undefined;
  }
}

function registerActions(app: FastifyInstance, options: TenantPages): void {
  const { connections, integrations, log } = options;

  app.post(`${one}/refresh`, async (request, reply) => {
    const guest = admitGuest(options, request, reply);
    if (guest === undefined) return reply;
    const id = { tenantId: guest.tenantId, integration: integrationOf(request) };
    const report = await connections.refresh(id, refreshWaitMs);
    log.info({ ...id, ...whoOf(guest), outcome: report?.outcome }, 'refresh asked for on the page');
    return back(reply, guest, id.integration, refreshNotice(report));
  });

  app.get(`${one}/disconnect`, (request, reply) => {
    const guest = admitGuest(options, request, reply);
    if (guest === undefined) return reply;
    const integration = integrationOf(request);
    const name = integrations.get(integration)?.provider.name ?? integration;
    return reply.send(disconnectPage(guest.tenantId, { integration, name }, guest.formToken));
  });

  app.post(`${one}/disconnect`, async (request, reply) => {
    const guest = admitGuest(options, request, reply);
    if (guest === undefined) return reply;
    const id = { tenantId: guest.tenantId, integration: integrationOf(request) };
    const report = await connections.disconnect(id);
    log.info({ ...id, ...whoOf(guest), revocation: report.revocation }, 'disconnected on the page');
    return back(reply, guest, id.integration, disconnectNotice(report));
  });
}

function registerLink(app: FastifyInstance, options: TenantPages): void {
  const { sessions } = options;

  app.post(`${page}/link`, async (request, reply) => {
    const guest = admitGuest(options, request, reply);
    if (guest === undefined) return reply;
    // A user must not give their way in to others.
    if (guest.session !== undefined) return reply.code(403).send(leavePage(guest.tenantId, guest.formToken));
    return sendLink(options, reply, guest.tenantId, request.body as URLSearchParams);
  });

  app.get(`${page}/leave`, (request, reply) => {
    const guest = admitGuest(options, request, reply);
    return guest === undefined ? reply : reply.send(leavePage(guest.tenantId, guest.formToken));
  });

  app.post(`${page}/leave`, (request, reply) => {
    const guest = admitGuest(options, request, reply);
    if (guest === undefined) return reply;
    sessions.close(reply);
    return reply.redirect(`/tenants/${guest.tenantId}`, 303);
  });
}

/** For the log. */
function whoOf({ session }: Guest): { by: string; user?: string | undefined } {
  return session === undefined ? { by: 'operator' } : { by: 'user', user: session.user };
}

function integrationOf({ params }: FastifyRequest): string {
  const { integration = '' } = params as { integration?: string };
  return checkId('integration', integration);
}

function back(
  reply: FastifyReply,
  { tenantId }: Guest,
  integration: string,
  notice: NoticeName,
): FastifyReply {
  const query = new URLSearchParams({ notice, about: integration });
  return reply.redirect(`/tenants/${tenantId}?${query.toString()}`, 303);
}
