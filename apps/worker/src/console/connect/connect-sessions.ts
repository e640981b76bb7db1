import type { Integration } from '@connectors/oauth';
import { ConnectorsError } from '@connectors/vault-core';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Idempotency } from '../admin/idempotency.ts';
import { id, tenantParams } from '../admin/params.ts';
import type { ZodRoutes } from '../admin/zod-routes.ts';
import { linkUrl, type ConnectLinks } from './connect-links.ts';
import { returnAddress } from './return-url.ts';
import type { Visit } from './tenant-session.ts';

export interface ConnectSessionRoutes {
  idempotency: Idempotency;
  links: ConnectLinks;
  integrations: ReadonlyMap<string, Integration>;
  consoleUrl: string;
  /** Where users may be sent back to. */
  returnOrigins: readonly string[];
  log: Logger;
}

/** RFC 6749 3.3. */
const scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'must be one scope, without spaces');

const newSession = z.strictObject({
  integration: id
    .optional()
    .describe('The only integration that may be connected. Left out: the link opens the tenant’s page.'),
  scopes: z.array(scope).min(1).max(50).optional().describe('Requested instead of the integration’s scopes.'),
  returnUrl: z
    .string()
    .max(1_000)
    .optional()
    .describe('Where the user goes afterwards: an address at one of `CONNECT_RETURN_ORIGINS`.'),
  user: z
    .string()
    .regex(/^[^\p{Cc}]{1,200}$/u, 'must be 1 to 200 characters, none of them a control character')
    .optional()
    .describe('Your name for the user. Shown to them, and stored with what they connect.'),
  expiresInSeconds: z.int().min(60).max(3_600).default(900).describe('How long the link is valid.'),
});

const session = z.object({
  id: z.string().describe('Identifies the session in events; it opens nothing.'),
  url: z.string().describe('Send the user there. It works once, in whichever browser it is opened first.'),
  expiresAt: z.string(),
});

/** A link for one user of a tenant, who connects integrations with it. */
export function registerConnectSessions(app: ZodRoutes, options: ConnectSessionRoutes): void {
  const { links, consoleUrl, log } = options;
  const schema = {
    operationId: 'createConnectSession',
    summary: 'Creates a link with which one user of a tenant connects integrations.',
    params: tenantParams,
    body: newSession,
    response: { 201: session },
    hasKey: true,
    problems: ['integration_unknown'] as const,
  };
  app.post('/tenants/:tenantId/connect-sessions', { schema }, async (request, reply) => {
    const {
      params: { tenantId },
      body,
    } = request;
    checkTenant(tenantId);
    const { expiresInSeconds, returnUrl, ...visit } = body;
    checkIntegration(options, body);
    const address = returnUrl === undefined ? {} : { returnUrl: checkReturn(options, returnUrl) };
    const whole = checkSize({ tenantId, ...visit, ...address });
    const link = await options.idempotency.once(request, {
      body,
      // A link that nobody was told of opens nothing for anybody.
      exists: () => Promise.resolve(false),
      create: (sessionId) => links.create(whole, expiresInSeconds, sessionId),
      next: 'Ask for another link, with another key.',
    });
    log.info({ tenantId, connectSession: link.id, integration: visit.integration }, 'connect session');
    const url = linkUrl(consoleUrl, link);
    return reply.code(201).send({ id: link.id, url, expiresAt: link.expiresAt.toISOString() });
  });
}

/** All of it goes into a cookie, and browsers drop one of more than 4 KiB without a word. */
function checkSize(visit: Visit): Visit {
  if (Buffer.byteLength(JSON.stringify(visit)) <= 2_500) return visit;
  throw new ConnectorsError('invalid_request', 'scopes, returnUrl and user: together they are too long');
}

/** Below `/connect/` these are pages of their own. */
function checkTenant(tenantId: string): void {
  if (tenantId === 'session' || tenantId === 'callback')
    throw new ConnectorsError('invalid_request', 'tenantId: this name is taken by a page of the console');
}

function checkIntegration(
  { integrations }: ConnectSessionRoutes,
  { integration: name, scopes }: z.infer<typeof newSession>,
): void {
  if (name === undefined) {
    if (scopes !== undefined) throw new ConnectorsError('invalid_request', 'scopes: need an integration');
    return;
  }
  const integration = integrations.get(name);
  if (integration === undefined) throw new ConnectorsError('integration_unknown');
  if (integration.provider.grant !== 'authorization_code')
    throw new ConnectorsError('invalid_request', 'integration: this one is connected without a user');
}

function checkReturn({ returnOrigins }: ConnectSessionRoutes, returnUrl: string): string {
  const address = returnAddress(returnUrl, returnOrigins);
  if (address !== undefined) return address;
  throw new ConnectorsError(
    'invalid_request',
    'returnUrl: must be an address at one of the origins in CONNECT_RETURN_ORIGINS',
  );
}
