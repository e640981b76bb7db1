import { connectUrl, ConnectorsError, type ErrorCode } from '@connectors/vault-core';
import type { Exchange } from '../exchange.ts';
import type { ProxyParts } from '../pipeline.ts';
import { takeBody } from '../upstream/forward.ts';
import { connectAnswer } from './connect-answer.ts';
import { isStateless } from './era.ts';
import { HeaderMismatchError } from './mirrored-headers.ts';
import { requestIdOf, rpcError, type RpcAnswer } from './rpc.ts';

const curable: ReadonlySet<ErrorCode> = new Set(['credential_not_found', 'token_expired']);

/**
 * Answers an MCP request that failed in the protocol's own way, where it has one: with a link for the user if it wants a
 * credential. Says whether it did: other failures, and what is no single JSON-RPC request, are answered as elsewhere.
 */
export async function answerMessage(exchange: Exchange, error: unknown, parts: ProxyParts): Promise<boolean> {
  const { target }: Partial<Exchange> = exchange;
  if (target?.surface !== 'mcp' || !(error instanceof ConnectorsError)) return false;
  const answer = await answerTo(error, exchange, parts);
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

async function answerTo(
  error: ConnectorsError,
  exchange: Exchange,
  parts: ProxyParts,
): Promise<RpcAnswer | undefined> {
  const isCurable = curable.has(error.code);
  if (!isCurable && !(error instanceof HeaderMismatchError)) return undefined;
  const message = await messageOf(exchange, parts);
  if (isCurable) {
    const prompt = { message: `${error.message}.`, url: connectUrl(parts.consoleUrl, exchange.credentialId) };
    return connectAnswer(message, isStateless(exchange.request.headers), prompt);
  }
  const id = requestIdOf(message);
  return id === undefined ? undefined : rpcError(id, 400, { code: headerMismatch, message: error.message });
}

/** A code of the protocol since 2026-07-28, which brought the headers. */
const headerMismatch = -32_020;

/** The body as JSON; `undefined` if there is none, or it is none, or too large to be looked at. */
async function messageOf(exchange: Exchange, parts: ProxyParts): Promise<unknown> {
  try {
    await takeBody(exchange, parts);
    return exchange.body.kind === 'kept' ? JSON.parse(exchange.body.bytes.toString()) : undefined;
  } catch {
    return undefined;
  }
}
