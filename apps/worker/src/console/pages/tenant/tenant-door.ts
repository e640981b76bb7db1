import { isId } from '@connectors/vault-core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TenantSession, TenantSessions } from '../../connect/tenant-session.ts';
import type { FormLocks } from '../../form-locks.ts';
import { foreignFormPage } from '../error-page.ts';
import { html, htmlType, type Html } from '../html.ts';
import { noticePage } from '../layout.ts';

export interface DoorOptions {
  sessions: TenantSessions;
  formLocks: FormLocks;
}

/** Somebody who may see and change the tenant's connections. */
export interface Guest {
  tenantId: string;
  /** Absent: the operator. */
  session: TenantSession | undefined;
  /** The hidden field of forms. */
  formToken: Html;
}

/**
 * Lets in who may see a tenant's pages. A request that changes something must come from one of these pages as well.
 *
 * @returns undefined when the reply was sent
 */
export function admitGuest(
  { sessions, formLocks }: DoorOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Guest | undefined {
  const { tenantId = '' } = request.params as { tenantId?: string };
  const visitor = isId(tenantId) ? sessions.requireTenant(request, tenantId) : undefined;
  if (visitor === undefined) {
    void reply.code(401).type(htmlType).send(strangerPage());
    return undefined;
  }
  const isReading = request.method === 'GET' || request.method === 'HEAD';
  if (!isReading && !formLocks.open(request, visitor.cookie)) {
    void reply
      .code(403)
      .type(htmlType)
      .send(foreignFormPage(`/tenants/${tenantId}`));
    return undefined;
  }
  const session = visitor.kind === 'user' && !sessions.isOperator(request) ? visitor.session : undefined;
  return { tenantId, session, formToken: formLocks.field(visitor.cookie) };
}

function strangerPage(): string {
  return noticePage(
    'neutral',
    'You need a link for this page',
    html`<p>
        It is opened with a link that works once. Ask for one where you use these connections, say in the
        settings of that app. If you had one: sessions last eight hours, and belong to one browser.
      </p>
      <p class="small"><a href="/sign-in">Sign in as the operator</a></p>`,
  );
}
