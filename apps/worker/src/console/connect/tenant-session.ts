import { createHmac, randomBytes } from 'node:crypto';
import { isId, type Secret } from '@connectors/vault-core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { consoleKey } from '../console-key.ts';
import { sessionCookie as adminCookie } from '../guard.ts';
import { isSame } from '../is-same.ts';
import type { AdminSessions } from '../session.ts';

const lifetimeMs = 8 * 3600_000;

const id = z.string().refine(isId);

/** What an operator's backend says of the user whom it sends. */
export const visitSchema = z.object({
  tenantId: id,
  /** The only one that may be connected; absent: all of the tenant's. */
  integration: id.optional(),
  /** What is asked for in place of the integration's scopes. */
  scopes: z.array(z.string()).optional(),
  /** Where the user goes afterwards. */
  returnUrl: z.string().optional(),
  /** Who it is, as the backend calls them. */
  user: z.string().optional(),
  /** The id of the connect session that the backend asked for. */
  connectSession: z.string().optional(),
  /** When the link was made, in milliseconds on Redis's clock; the operator's own sessions have none. */
  madeAt: z.number().optional(),
});

export type Visit = z.infer<typeof visitSchema>;

const sessionSchema = visitSchema.extend({
  /** Random: what a flow to a provider is bound to. */
  id: z.string(),
  /** Milliseconds since the epoch. */
  end: z.number(),
});

export type TenantSession = z.infer<typeof sessionSchema>;

/** Who looks at a tenant's pages, and may act on them. */
export type Visitor = ({ kind: 'user'; session: TenantSession } | { kind: 'operator' }) & {
  /** The value of the session's cookie, which forms are bound to. */
  cookie: string;
};

export interface TenantSessionOptions {
  adminToken: Secret;
  adminSessions: AdminSessions;
  /** Whether the console is reached over https. */
  secure: boolean;
  now: () => number;
}

/**
 * Sessions of tenants' users. A session is what the operator's backend said of its user, in a cookie with a MAC: nothing is
 * stored, and a new admin token ends all of them.
 */
export class TenantSessions {
  readonly #options: TenantSessionOptions;
  readonly #key: Buffer;
  readonly #cookie: string;

  constructor(options: TenantSessionOptions) {
    this.#options = options;
    this.#key = consoleKey(options.adminToken, 'tenant session');
    // The prefix keeps other hosts of the domain from setting it.
    this.#cookie = options.secure ? '__Host-connectors_tenant' : 'connectors_tenant';
  }

  /** Begins a session in this browser, with an id that it never had before, and ends the one it was in. */
  open(reply: FastifyReply, visit: Visit): TenantSession {
    const session = {
      ...visit,
      id: randomBytes(16).toString('base64url'),
      end: this.#options.now() + lifetimeMs,
    };
    const text = Buffer.from(JSON.stringify(session)).toString('base64url');
    void reply.setCookie(this.#cookie, `${text}.${this.#mac(text)}`, {
      path: '/',
      httpOnly: true,
      // The way back from a provider is a navigation that begins on another site.
      sameSite: 'lax',
      secure: this.#options.secure,
      maxAge: lifetimeMs / 1000,
    });
    return session;
  }

  close(reply: FastifyReply): void {
    void reply.clearCookie(this.#cookie, { path: '/', secure: this.#options.secure });
  }

  /** The session of the browser that sent this request, whosever it is. */
  read(request: FastifyRequest): TenantSession | undefined {
    const [text = '', mac = ''] = request.cookies[this.#cookie]?.split('.') ?? [];
    if (!isSame(mac, this.#mac(text))) return undefined;
    const session = sessionSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
    return session.end > this.#options.now() ? session : undefined;
  }

  /**
   * Who may see and change a tenant's connections: its users, and the operator.
   *
   * @param integration what it is about; a session for one integration opens nothing else, nor the tenant's page
   * @returns `undefined` for anybody else
   */
  requireTenant(request: FastifyRequest, tenantId: string, integration?: string): Visitor | undefined {
    const session = this.read(request);
    const isAllowed =
      session?.tenantId === tenantId &&
      (session.integration === undefined || session.integration === integration);
    if (isAllowed) return { kind: 'user', session, cookie: request.cookies[this.#cookie] ?? '' };
    const cookie = request.cookies[adminCookie] ?? '';
    return this.#options.adminSessions.isOpen(cookie) ? { kind: 'operator', cookie } : undefined;
  }

  /** Whether the operator sits here, who may be in a user's session as well. */
  isOperator(request: FastifyRequest): boolean {
    return this.#options.adminSessions.isOpen(request.cookies[adminCookie]);
  }

  #mac(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url');
  }
}
