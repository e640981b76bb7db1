import { connectUrl, ConnectorsError, type ErrorCode } from '@connectors/vault-core';
import type { Exchange } from '../exchange.ts';
import type { ProxyParts } from '../pipeline.ts';
import { takeBody } from '../upstream/forward.ts';
import { connectAnswer } from './connect-answer.ts';
import { isStateless } from './era.ts';

const curable: ReadonlySet<ErrorCode> = new Set(['credential_not_found', 'token_expired']);

/**
 * Answers an MCP request that failed for want of a credential with a link for the user. Says whether it did: what is no such
 * failure, or no single JSON-RPC request, is answered as elsewhere.
 */
export async function askToConnect(
  exchange: Exchange,
  error: unknown,
  { consoleUrl, agentIdleMs }: Pick<ProxyParts, 'consoleUrl' | 'agentIdleMs'>,
): Promise<boolean> {
  const { target }: Partial<Exchange> = exchange;
  if (!(error instanceof ConnectorsError && curable.has(error.code)) || target?.surface !== 'mcp')
    return false;
  const prompt = { message: `${error.message}.`, url: connectUrl(consoleUrl, exchange.credentialId) };
  const answer = connectAnswer(
    await messageOf(exchange, agentIdleMs),
    isStateless(exchange.request.headers),
    prompt,
  );
  const { response, requestId } = exchange;
  if (answer === undefined || response.headersSent || response.destroyed) return false;
  exchange.error = error;
  const body = JSON.stringify(answer.body);
  response.writeHead(answer.status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'Connectors-Error': error.code,
    'X-Request-Id': requestId,
  });
  response.end(body);
  return true;
}

/** The body as JSON; `undefined` if there is none, or it is none, or too large to be looked at. */
async function messageOf(exchange: Exchange, agentIdleMs: number): Promise<unknown> {
  try {
    await takeBody(exchange, { agentIdleMs });
    return exchange.body.kind === 'kept' ? JSON.parse(exchange.body.bytes.toString()) : undefined;
  } catch {
    return undefined;
  }
}
