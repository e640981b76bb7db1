import { headerKey } from '@connectors/oauth';
import { ConnectorsError } from '@connectors/vault-core';
import type { Exchange } from '../exchange.ts';
import type { RawHeaders } from '../injection/request-headers.ts';
import type { ProxyParts } from '../pipeline.ts';
import { isStateless } from './era.ts';

const header = 'mcp-session-id';

/**
 * The session that a request names is the agent's own. The upstream is not asked about any other, so that one can neither
 * use it nor find out whether it exists.
 */
export function checkSession(exchange: Exchange, { sessionIds }: ProxyParts): void {
  if (exchange.target.surface !== 'mcp') return;
  const { request, agent, credentialId } = exchange;
  const owner = { agentId: agent.id, ...credentialId };
  exchange.signSession = (upstreamId) => sessionIds.sign(upstreamId, owner);
  const presented = request.headers[header];
  const upstreamId = typeof presented === 'string' ? sessionIds.verify(presented, owner) : undefined;
  // From 2026-07-28 on there are no sessions, and the header means nothing.
  if (presented !== undefined && upstreamId === undefined && !isStateless(request.headers)) {
    throw new ConnectorsError('session_unknown');
  }
  exchange.headers = forUpstream(request.rawHeaders, upstreamId);
}

/** `Origin` was judged here, by our own rule; the upstream would judge it by that of its own pages. */
function forUpstream(received: readonly string[], sessionId: string | undefined): RawHeaders {
  const headers: RawHeaders = [];
  for (let i = 0; i + 1 < received.length; i += 2) {
    const key = headerKey(received[i] ?? '');
    if (key !== header && key !== 'origin') headers.push(received[i] ?? '', received[i + 1] ?? '');
  }
  if (sessionId !== undefined) headers.push('Mcp-Session-Id', sessionId);
  return headers;
}

/** Signs the session ids in an upstream's headers, in place. */
export function signSessions(headers: RawHeaders, sign: (upstreamId: string) => string): void {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]?.toLowerCase() === header) headers[i + 1] = sign(headers[i + 1] ?? '');
  }
}
