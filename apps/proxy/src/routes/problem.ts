import { connectUrl, ConnectorsError, errorTable, VaultError } from '@connectors/vault-core';
import type { Logger } from 'pino';
import { GrantMissingError, type MissingGrant } from '../access/grant-missing-error.ts';
import { challenge } from '../mcp/protected-resource.ts';
import type { Exchange } from '../exchange.ts';

interface ProblemContext {
  consoleUrl: string;
  proxyUrl: string | undefined;
  log: Logger;
}

/** An RFC 9457 problem: `code` is the stable name of the error, `action` what the caller does next. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  action: string;
  requestId: string;
  /** Where the user connects the integration; on 424. */
  connectUrl?: string;
  /** What the agent would have to be granted; on 403. */
  missingGrant?: MissingGrant;
}

/** Answers a request that failed here, not at the upstream. */
export function answerProblem(
  exchange: Exchange,
  thrown: unknown,
  { consoleUrl, proxyUrl, log }: ProblemContext,
): void {
  const { response, requestId } = exchange;
  // The agent went away, which is why the step failed.
  if (response.destroyed) return;
  const error = thrown instanceof ConnectorsError ? thrown : new ConnectorsError('internal_error');
  if (error !== thrown) log.error({ requestId, err: thrown }, 'internal error');
  exchange.error = error;
  if (response.headersSent) {
    exchange.breakOff();
    return;
  }
  const { status, headers, body } = problemMessage(error, exchange, consoleUrl);
  // RFC 9110 15.5.2
  if (status === 401) response.setHeader('WWW-Authenticate', challenge(exchange.request, proxyUrl));
  response.writeHead(status, headers).end(body);
}

type Subject = Pick<Exchange, 'requestId'> & Partial<Pick<Exchange, 'credentialId'>>;

/** A problem as an HTTP message. */
export function problemMessage(error: ConnectorsError, subject: Subject, consoleUrl: string) {
  const problem = toProblem(error, subject, consoleUrl);
  const body = JSON.stringify(problem);
  const headers = {
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'Connectors-Error': problem.code,
    'X-Request-Id': subject.requestId,
    ...(error.retryAfterMs === undefined ? {} : { 'Retry-After': Math.ceil(error.retryAfterMs / 1_000) }),
  };
  return { status: problem.status, headers, body };
}

function toProblem(error: ConnectorsError, subject: Subject, consoleUrl: string): Problem {
  const { status, title, action } = errorTable[error.code];
  const id = subject.credentialId;
  return {
    type: `urn:connectors:error:${error.code}`,
    title,
    status,
    // Paths in Vault are no business of agents.
    detail: error instanceof VaultError ? title : error.message,
    code: error.code,
    action,
    requestId: subject.requestId,
    ...(status === 424 && id !== undefined ? { connectUrl: connectUrl(consoleUrl, id) } : {}),
    ...(error instanceof GrantMissingError ? { missingGrant: error.missingGrant } : {}),
  };
}
