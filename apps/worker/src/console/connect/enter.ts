import type { Integration } from '@connectors/oauth';
import { isId } from '@connectors/vault-core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { html, htmlType } from '../pages/html.ts';
import { noticePage } from '../pages/layout.ts';
import type { ConnectOptions } from './connect.ts';
import type { Visitor } from './tenant-session.ts';

/** A user, or the operator, at one integration of a tenant. */
export interface Entered {
  tenantId: string;
  integration: Integration;
  visitor: Visitor;
}

/**
 * Lets who has a session of the tenant to one of its integrations; who has none is told how to get one.
 *
 * @returns `undefined` when the reply was sent
 */
export function enter(
  { sessions, integrations, signInUrl }: ConnectOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Entered | undefined {
  const { tenantId = '', integration: name = '' } = request.params as Record<string, string | undefined>;
  void reply.type(htmlType);
  if (!isId(tenantId) || !isId(name)) return refuse(reply, 404, unknownPage());
  const visitor = sessions.requireTenant(request, tenantId, name);
  if (visitor === undefined) {
    if (signInUrl === undefined) return refuse(reply, 403, linkNeededPage());
    const url = signInUrl.replaceAll('{tenant}', tenantId).replaceAll('{integration}', name);
    void reply.redirect(url, 303);
    return undefined;
  }
  const integration = integrations.get(name);
  if (integration?.provider.grant !== 'authorization_code') return refuse(reply, 404, unknownPage());
  return { tenantId, integration, visitor };
}

/**
 * The same for a form, which has to come from a page of this session.
 *
 * @returns `undefined` when the reply was sent
 */
export function enterForm(
  options: ConnectOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): (Entered & { form: URLSearchParams }) | undefined {
  const entered = enter(options, request, reply);
  if (entered === undefined) return undefined;
  return options.formLocks.open(request, entered.visitor.cookie)
    ? { ...entered, form: request.body as URLSearchParams }
    : refuse(reply, 403, foreignPage());
}

function refuse(reply: FastifyReply, status: number, page: string): undefined {
  void reply.code(status).type(htmlType).send(page);
  return undefined;
}

const unknownPage = (): string =>
  noticePage(
    'neutral',
    'There is nothing to connect here',
    html`<p>There is no such integration, or it is connected without a user.</p>`,
  );

export const linkNeededPage = (): string =>
  noticePage(
    'neutral',
    'You need a link',
    html`<p>
      To connect this, open the link of the application that you use it with. A link works once, for a few
      minutes.
    </p>`,
  );

/** For a form that was not sent from a page of this session. */
export const foreignPage = (): string =>
  noticePage(
    'bad',
    'Not from here',
    html`<p>
      This request did not come from a page of this console. Open the page again and repeat it there.
    </p>`,
  );
