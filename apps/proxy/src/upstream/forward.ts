import { ConnectorsError } from '@connectors/vault-core';
import { requestTarget } from '@connectors/oauth';
import type { Dispatcher } from 'undici';
import { audit } from '../audit.ts';
import { replaceCredential } from '../credential/obtain-credential.ts';
import type { Exchange } from '../exchange.ts';
import { requestHeaders } from '../injection/request-headers.ts';
import type { ProxyParts } from '../pipeline.ts';
import { hasBody, readBody, type RequestBody } from './body.ts';
import { Relay, type RelayOutcome } from './relay.ts';

/** A body that is small enough is read before the upstream is bothered, so that it can be sent twice. */
export function takeBody(exchange: Exchange, parts: ProxyParts): void | Promise<void> {
  const { request }: Pick<Exchange, 'request'> = exchange;
  const { body }: Partial<Exchange> = exchange;
  if (body !== undefined) return;
  if (!hasBody(request)) {
    exchange.body = { kind: 'none' };
    return;
  }
  invite(exchange);
  return awaitBody(exchange, parts);
}

async function awaitBody(exchange: Exchange, { agentIdleMs, keptBodies }: ProxyParts): Promise<void> {
  const { request, response } = exchange;
  const keep = (bytes: number) => keptBodies.take(exchange, bytes);
  try {
    exchange.body = await readBody(request, { idleMs: agentIdleMs, keep });
  } catch (error) {
    // What is left of the body would be taken for the next request.
    response.shouldKeepAlive = false;
    throw error;
  }
  if (exchange.body.kind === 'streamed') keptBodies.release(exchange);
}

/** Whoever expects 100-continue sends its body only now that it may. */
function invite({ request, response }: Exchange): void {
  const { expect, connection = '' } = request.headers;
  if (expect === undefined || request.httpVersion !== '1.1') return;
  response.writeContinue();
  response.shouldKeepAlive = !/\bclose\b/i.test(connection);
}

/** Sends the request with the credential in it. A refused credential is replaced, and the request sent once more. */
export function forward(exchange: Exchange, parts: ProxyParts): Promise<void> {
  const conclude = (outcome: RelayOutcome) =>
    outcome === 'relayed' ? undefined : sendAgain(exchange, parts);
  return send(exchange, parts).then(conclude, (error: unknown) => {
    if (!mayRepeat(exchange, error)) throw error;
    return send(exchange, parts).then(conclude);
  });
}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/** A connection that ended before the response began. */
const cuts = new Set<unknown>(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/**
 * An upstream may end a connection that was idle in the very moment in which a request is written to it. What is safe is
 * sent once more (RFC 9110 9.2.2).
 */
function mayRepeat({ request, response, body, upgrade }: Exchange, error: unknown): boolean {
  const isSafe = body.kind === 'none' && upgrade === undefined && safeMethods.has(request.method ?? '');
  return isSafe && !response.destroyed && error instanceof ConnectorsError && cuts.has(error.cause);
}

async function sendAgain(exchange: Exchange, parts: ProxyParts): Promise<void> {
  await replaceCredential(exchange, parts);
  if (exchange.response.destroyed) return;
  if (exchange.body.kind === 'streamed') {
    const message = 'The credential was refreshed, but this body was not kept: send the request again';
    throw new ConnectorsError('payload_too_large', message);
  }
  parts.metrics.replays.inc();
  if ((await send(exchange, parts)) === 'rejected') throw new ConnectorsError('upstream_rejected_credential');
}

function send(exchange: Exchange, parts: ProxyParts): Promise<RelayOutcome> {
  const { request, upstream, target, body, upgrade } = exchange;
  exchange.use = upstream.use(exchange.credentialId, exchange.credential);
  const { addresses, injection } = exchange.use;
  const address = addresses[target.surface];
  if (address === undefined) throw new TypeError('findIntegration has not looked');
  audit(parts.writeAudit, exchange);
  const headers = requestHeaders(exchange.headers, injection);
  const length = request.headers['content-length'];
  // undici counts what it has; what streams is as long as the agent said.
  if (body.kind !== 'kept' && length !== undefined) headers.push('content-length', length);
  const relay = new Relay(exchange, parts);
  const dispatcher = upgrade === undefined ? parts.dispatchers.for(body) : parts.dispatchers.http1;
  dispatcher.dispatch(
    {
      upgrade: upgrade === undefined ? null : 'websocket',
      origin: address.origin,
      path: requestTarget(address, target.path, target.query, injection),
      method: request.method as Dispatcher.HttpMethod,
      headers,
      body: bodyOf(body),
      headersTimeout: parts.headersTimeoutMs,
      // A stream of events may be silent for as long as it likes.
      bodyTimeout: 0,
    },
    relay,
  );
  return relay.outcome;
}

function bodyOf(body: RequestBody): NonNullable<Dispatcher.DispatchOptions['body']> | null {
  if (body.kind === 'none') return null;
  // undici takes any async iterable, though its types do not say so.
  return body.kind === 'kept' ? body.bytes : (body.chunks as never);
}
