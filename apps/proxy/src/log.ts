import type { Exchange } from './exchange.ts';

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
    path: target?.path ?? withoutQuery(url),
    status: response.headersSent ? response.statusCode : undefined,
    aborted: response.writableFinished ? undefined : true,
    error: error?.code,
    cause: error === undefined || error.message === '' ? undefined : reasonOf(error),
    totalMs: round(performance.now() - exchange.startedAt),
    upstreamMs: upstreamMs === undefined ? undefined : round(upstreamMs),
    credential: credentialFrom,
    refreshForced: isForced || undefined,
  };
}

/** Our own messages and upstream error codes are safe to print. */
function reasonOf({ message, cause }: Error): string {
  return typeof cause === 'string' ? cause : message;
}

function withoutQuery(url: string): string {
  return url.split('?', 1)[0] ?? '';
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}
