import type { FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import { linkUrl, type ConnectLinks } from '../connect/connect-links.ts';
import { html } from './html.ts';
import { cardPage } from './layout.ts';
import { time } from './words.ts';

interface LinkOptions {
  links: ConnectLinks;
  consoleUrl: string;
  log: Logger;
}

const lifetimeSeconds = 900;

/**
 * Makes a link for a user of a tenant, and shows it this once.
 *
 * @param form has the user's name
 */
export async function sendLink(
  { links, consoleUrl, log }: LinkOptions,
  reply: FastifyReply,
  tenantId: string,
  form: URLSearchParams,
): Promise<FastifyReply> {
  const user = (form.get('user') ?? '')
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, 200);
  const visit = { tenantId, ...(user === '' ? {} : { user }) };
  const link = await links.create(visit, lifetimeSeconds);
  log.info({ tenantId, connectSession: link.id }, 'connect session');
  return reply.send(linkPage(tenantId, linkUrl(consoleUrl, link), link.expiresAt));
}

function linkPage(tenantId: string, url: string, expiresAt: Date): string {
  return cardPage(
    'Link for a user',
    html`<h1>Link for a user of ${tenantId}</h1>
      <p>
        It works once, in whichever browser it is opened first, until ${time(expiresAt.toISOString())}. Send
        it to nobody else.
      </p>
      <label>Link <input id="link" readonly value="${url}" /></label>
      <div class="actions">
        <button class="primary" type="button" data-copy="link">Copy</button>
        <a class="button" href="/tenants/${tenantId}">To the tenant’s page</a>
      </div>`,
  );
}
