import type { Socket } from 'node:net';
import type { Exchange } from './exchange.ts';
import { pathTemplate } from './path-template.ts';

/** What the access line tells of a request: never a header, a body or a query. */
export function describe(exchange: Exchange) {
  const { request, response, url, requestId, error, credentialFrom, isForced, upstreamMs } = exchange;
  const { agent, target, credentialId }: Partial<Exchange> = exchange;
  return {
    requestId,
    agent: agent?.id,
    tenant: credentialId?.tenantId,
    integration: target?.integration,
    surface: target?.surface,
    method: request.method,
    path: pathTemplate(target?.path ?? safePath(url)),
    status: response.headersSent ? response.statusCode : undefined,
    aborted: response.writableFinished ? undefined : true,
    error: error?.code,
    cause: error === undefined || error.message === '' ? undefined : reasonOf(error),
    ...transferred(request.socket),
    totalMs: round(performance.now() - exchange.startedAt),
    upstreamMs: upstreamMs === undefined ? undefined : round(upstreamMs),
    credential: credentialFrom,
    refreshForced: isForced || undefined,
  };
}

const told = Symbol('bytes of a connection that were told of');
type Counted = Socket & { [told]?: { read: number; written: number } };

/** What passed on the agent's connection since its last request: headers and bodies, as they were before TLS. */
function transferred(socket: Counted): { bytesIn: number; bytesOut: number } {
  const { bytesRead, bytesWritten } = socket;
  const before = socket[told];
  socket[told] = { read: bytesRead, written: bytesWritten };
  return { bytesIn: bytesRead - (before?.read ?? 0), bytesOut: bytesWritten - (before?.written ?? 0) };
}

/** Our own messages and upstream error codes are safe to print. */
function reasonOf({ message, cause }: Error): string {
  return typeof cause === 'string' ? cause : message;
}

/** Of a target that may have been refused. An authority, of whatever form, can hold a password. */
function safePath(url: string): string {
  const [withoutQuery = ''] = url.split('?', 1);
  const [, path = ''] = /^(?:[^/]*\/\/(?:.*@)?[^/]*)?(\/.*)?$/s.exec(withoutQuery) ?? [];
  return path;
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}
