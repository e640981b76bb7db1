import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { ConnectorsError } from '@connectors/vault-core';
import { Exchange } from '../exchange.ts';
import { describe } from '../log.ts';
import type { ProxyMetrics } from '../metrics.ts';
import { serve, type ProxyParts } from '../pipeline.ts';
import type { Upgrade } from '../upstream/tunnel.ts';
import { answerProblem } from './problem.ts';

/** A connection that is silent for so long is probed. */
const probeAfterMs = 60_000;

/** What the proxy answers itself. */
const own = /^\/(?:healthz|readyz|metrics|\.well-known\/[\w./-]*)(?:\?|$)/;

/**
 * The server of the proxy. Fastify serves what is its own; agents' requests go to the pipeline as Node has parsed them, for
 * Fastify would decode their paths, and look at bodies that are the upstream's.
 */
export function createProxyServer(serveOwn: RequestListener, parts: ProxyParts): Server {
  // Node would answer a missing Host itself, not as we answer.
  const options = {
    requireHostHeader: false,
    // Nobody reads the body of a request that has none; to make it a stream that ends takes Node a while.
    optimizeEmptyRequests: true,
    headersTimeout: parts.agentIdleMs,
    connectionsCheckingInterval: Math.ceil(parts.agentIdleMs / 4),
    // A stream may be silent for ever: agents that vanished without a word are found out.
    keepAlive: true,
    keepAliveInitialDelay: probeAfterMs,
    // A large body takes as long as it takes: see readBody.
    requestTimeout: 0,
    // Other protocols are not offered: such a request is answered as if it had not asked (RFC 9110 7.8).
    shouldUpgradeCallback: wantsWebSocket,
  };
  const server = createServer(options, (request, response) => {
    // Node reads nothing that follows a request whose upgrade was declined: whoever sent more would wait for ever.
    if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false;
    if (isOwn(request)) serveOwn(request, response);
    else serveAgent(request, response, parts);
  });
  server.on('checkContinue', (request, response) => {
    // Unless it is invited, the body may or may not follow the answer.
    response.shouldKeepAlive = false;
    server.emit('request', request, response);
  });
  server.on('upgrade', (request, socket, head) =>
    serveUpgrade(request, { socket: socket as Socket, head }, parts),
  );
  server.on('checkExpectation', (request, response) => refuseExpectation(request, response, parts));
  // Longer than load balancers keep theirs: whoever closes an idle connection must not be the one that gets requests.
  server.keepAliveTimeout = 72_000;
  return server;
}

function isOwn({ method, url = '' }: IncomingMessage): boolean {
  return (method === 'GET' || method === 'HEAD') && own.test(url);
}

/** `ANY /proxy/{integration}/…` and `ANY /mcp/{integration}…`, and the answer to everything that is no route. */
function serveAgent(request: IncomingMessage, response: ServerResponse, parts: ProxyParts): void {
  const exchange = begin(request, response, parts);
  if (isPath.test(exchange.url) && !isForwarded.test(exchange.url)) {
    const message = 'Agents call /proxy/{integration}/{path} or /mcp/{integration}';
    answerProblem(exchange, new ConnectorsError('integration_unknown', message), parts);
    return;
  }
  // Whatever goes wrong with an answer must not end the process.
  serve(exchange, parts).catch(() => exchange.breakOff());
}

function wantsWebSocket({ method, url = '', headers }: IncomingMessage): boolean {
  const hasBody = 'transfer-encoding' in headers || 'content-length' in headers;
  const isWebSocket = headers.upgrade?.toLowerCase() === 'websocket';
  return method === 'GET' && isWebSocket && !hasBody && url.startsWith('/proxy/');
}

/** Node leaves the connection to us, and so the response. */
function serveUpgrade(request: IncomingMessage, upgrade: Upgrade, parts: ProxyParts): void {
  const { socket } = upgrade;
  socket.on('error', () => undefined);
  if (parts.isStopping) {
    socket.destroy();
    return;
  }
  const response = new ServerResponse(request);
  try {
    response.assignSocket(socket);
  } catch {
    // An earlier request on this connection is not answered yet.
    socket.destroy();
    return;
  }
  response.shouldKeepAlive = false;
  response.once('finish', () => response.statusCode === 101 || socket.destroySoon());
  const exchange = begin(request, response, parts);
  exchange.upgrade = upgrade;
  serve(exchange, parts).catch(() => exchange.breakOff());
}

const isPath = /^\//;
const isForwarded = /^\/(?:proxy|mcp)\//;

/** What Node leaves to us of requests with `Expect`: those that expect something other than 100-continue. */
function refuseExpectation(request: IncomingMessage, response: ServerResponse, parts: ProxyParts): void {
  // Whether a body follows is anybody's guess.
  response.setHeader('Connection', 'close');
  const error = new ConnectorsError('invalid_request', 'Expect may only be 100-continue');
  answerProblem(begin(request, response, parts), error, parts);
}

function begin(request: IncomingMessage, response: ServerResponse, parts: ProxyParts): Exchange {
  const exchange = new Exchange(request, response);
  parts.underWay.add(exchange);
  if (parts.isStopping) response.shouldKeepAlive = false;
  parts.occupancy.begin(exchange);
  response.once('close', () => conclude(exchange, parts));
  return exchange;
}

function conclude(exchange: Exchange, parts: ProxyParts): void {
  const { metrics, occupancy, keptBodies, underWay, writeAccess } = parts;
  exchange.relay?.abort();
  underWay.delete(exchange);
  occupancy.leave(exchange);
  keptBodies.release(exchange);
  countAnswer(exchange, metrics);
  writeAccess?.(describe(exchange));
}

function countAnswer(exchange: Exchange, metrics: ProxyMetrics): void {
  const { response, error, upstreamMs } = exchange;
  const { upstream, target }: Partial<Exchange> = exchange;
  // Whatever a caller makes up must not become a label.
  const integration = upstream === undefined ? 'none' : (target?.integration ?? 'none');
  const isWhole = response.writableFinished && response.headersSent;
  metrics.countRequest(integration, isWhole ? classOf(response.statusCode) : 'aborted');
  if (error !== undefined) metrics.errors.inc({ code: error.code });
  if (upstreamMs !== undefined) metrics.timeUpstream(integration, upstreamMs / 1_000);
}

const classes = ['0xx', '1xx', '2xx', '3xx', '4xx', '5xx'];

function classOf(status: number): string {
  const hundreds = Math.floor(status / 100);
  return classes[hundreds] ?? `${hundreds}xx`;
}
