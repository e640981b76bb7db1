import type { FastifyInstance } from 'fastify';
import { isSameOrigin } from '../guard.ts';
import { html, htmlType } from '../pages/html.ts';
import { cardPage, noticePage } from '../pages/layout.ts';
import type { ConnectOptions } from './connect.ts';
import { foreignPage } from './enter.ts';
import type { Visit } from './tenant-session.ts';

/**
 * The page that a link of an operator's backend opens. Programs open links as well, to look what is behind them: only the
 * button uses one up.
 */
export function registerLinkPages(app: FastifyInstance, options: ConnectOptions): void {
  const { links, sessions, origin, log } = options;
  const path = '/connect/session/:token';

  app.get<{ Params: { token: string } }>(path, async ({ params: { token } }, reply) => {
    const visit = await links.find(token);
    void reply.type(htmlType);
    return visit === undefined ? reply.code(410).send(usedPage()) : linkPage(options, token, visit);
  });

  app.post<{ Params: { token: string } }>(path, async (request, reply) => {
    // A foreign page must not put a browser into a session: its owner would connect their account for somebody else.
    if (!isSameOrigin(request, origin)) return reply.code(403).type(htmlType).send(foreignPage());
    const visit = await links.redeem(request.params.token);
    if (visit === undefined) return reply.code(410).type(htmlType).send(usedPage());
    const { tenantId, integration, connectSession } = visit;
    sessions.open(reply, visit);
    log.info({ tenantId, connectSession, integration }, 'connect session opened');
    return reply.redirect(
      integration === undefined ? `/tenants/${tenantId}` : `/connect/${tenantId}/${integration}`,
      303,
    );
  });
}

function linkPage({ integrations }: ConnectOptions, token: string, visit: Visit): string {
  const { tenantId, integration, user } = visit;
  const name = integration === undefined ? '' : (integrations.get(integration)?.provider.name ?? integration);
  const what =
    integration === undefined ? 'manage the connections of' : html`connect <strong>${name}</strong> for`;
  const who = user === undefined ? '' : html`<p class="faint">You were sent here as ${user}.</p>`;
  return cardPage(
    'Continue',
    html`<h1>Continue to Connectors</h1>
      <p>You are about to ${what} <strong>${tenantId}</strong>.</p>
      ${who}
      <form method="post" action="/connect/session/${token}">
        <button class="primary wide">Continue</button>
      </form>`,
  );
}

const usedPage = (): string =>
  noticePage(
    'warning',
    'This link no longer works',
    html`<p>It has been used, or has expired. Ask for a new one where you got it.</p>`,
  );
