import { isId, type CredentialId } from '@connectors/vault-core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ConnectOptions } from './connect.ts';
import { failurePage } from './result-page.ts';
import { tell } from './tell.ts';

/** An installation that began at the provider's marketplace brings a code that nobody asked for: it is another's for all we know. */
export function comeUnasked(
  options: ConnectOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const here = whereabouts(options, request);
  // The flow starts anew, on the page that asks first.
  if (here !== undefined) return reply.redirect(`/connect/${here.tenantId}/${here.integration}`, 303);
  return failurePage(reply, 'unsolicited');
}

/** The state of a flow that is over, or none of ours. */
export async function comeLate(
  options: ConnectOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  state: string,
): Promise<FastifyReply> {
  const { states, log } = options;
  const code = 'state_unknown';
  const owner = await states.takeOwner(state);
  if (owner !== undefined) await tell(options, owner, states.secretsOf(state).id, { kind: 'failed', code });
  else log.warn({ integration: integrationOf(request) ?? '', reason: code }, 'connect failed');
  const here = whereabouts(options, request);
  return failurePage(reply, code, here?.tenantId, here?.integration);
}

/** What the session of this browser may connect at this callback. */
function whereabouts({ sessions }: ConnectOptions, request: FastifyRequest): CredentialId | undefined {
  const integration = integrationOf(request);
  const session = sessions.read(request);
  if (session === undefined || integration === undefined) return undefined;
  const isOpen = [undefined, integration].includes(session.integration);
  return isOpen ? { tenantId: session.tenantId, integration } : undefined;
}

function integrationOf({ params }: FastifyRequest): string | undefined {
  const { integration = '' } = params as { integration?: string };
  return isId(integration) ? integration : undefined;
}
