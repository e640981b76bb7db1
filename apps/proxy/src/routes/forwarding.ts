import { METHODS, type IncomingMessage, type ServerResponse } from 'node:http';
import { ConnectorsError } from '@connectors/vault-core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Exchange } from '../exchange.ts';
import { describe } from '../log.ts';
import { serve, type ProxyParts } from '../pipeline.ts';
import { answerProblem } from './problem.ts';

/** `ANY /proxy/{integration}/…` and `ANY /mcp/{integration}…`, and the answer to everything that is no route. */
export function registerForwarding(app: FastifyInstance, parts: ProxyParts): void {
  const handle = (request: FastifyRequest, reply: FastifyReply): void => {
    // Whatever goes wrong with an answer must not end the process.
    serve(open(request, reply, parts), parts).catch(() => reply.raw.destroy());
  };
  app.all('/proxy/', handle);
  app.all('/mcp/', handle);
  app.setNotFoundHandler((request, reply) => {
    const message = 'Agents call /proxy/{integration}/{path} or /mcp/{integration}';
    answerProblem(open(request, reply, parts), new ConnectorsError('integration_unknown', message), parts);
  });
}

/**
 * The path that decides about the route: without what follows `/proxy/` or `/mcp/`, which Fastify would decode, and refuse
 * when it is no UTF-8.
 */
export function routingPath({ url = '' }: IncomingMessage): string {
  return /^(?:https?:\/\/[^/]*)?(\/(?:proxy|mcp)\/)/i.exec(url)?.[1] ?? url;
}

/** What Fastify itself refuses before any route is found, such as a path that is not percent-encoded properly. */
export function refuseMalformed(request: FastifyRequest, reply: FastifyReply, parts: ProxyParts): void {
  answerProblem(
    open(request, reply, parts),
    new ConnectorsError('invalid_request', 'The URL is malformed'),
    parts,
  );
}

/** What Node leaves to us of requests with `Expect`: those that expect something other than 100-continue. */
export function refuseExpectation(
  request: IncomingMessage,
  response: ServerResponse,
  parts: ProxyParts,
): void {
  // Whether a body follows is anybody's guess.
  response.setHeader('Connection', 'close');
  const error = new ConnectorsError('invalid_request', 'Expect may only be 100-continue');
  answerProblem(begin(new Exchange(request, response, request.url ?? ''), parts), error, parts);
}

/** Fastify must not look at a body: it is the upstream's. To Fastify, no method has one. */
export function leaveBodiesAlone(app: FastifyInstance): void {
  for (const method of METHODS.filter((method) => method !== 'CONNECT')) {
    app.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  }
}

function open(request: FastifyRequest, reply: FastifyReply, parts: ProxyParts): Exchange {
  reply.hijack();
  return begin(new Exchange(request.raw, reply.raw, request.originalUrl), parts);
}

function begin(exchange: Exchange, parts: ProxyParts): Exchange {
  parts.metrics.inFlight.inc();
  exchange.response.once('close', () => conclude(exchange, parts));
  return exchange;
}

function conclude(exchange: Exchange, { metrics, upstreams, log }: ProxyParts): void {
  const line = describe(exchange);
  // Whatever a caller makes up must not become a label.
  const integration = upstreams.has(line.integration ?? '') ? line.integration : undefined;
  const status = line.aborted || line.status === undefined ? 'aborted' : `${Math.floor(line.status / 100)}xx`;
  metrics.inFlight.dec();
  metrics.requests.inc({ integration: integration ?? 'none', status });
  if (line.error !== undefined) metrics.errors.inc({ code: line.error });
  if (line.upstreamMs !== undefined && integration !== undefined) {
    metrics.upstreamDuration.observe({ integration }, line.upstreamMs / 1_000);
  }
  log.info(line, 'request');
}
