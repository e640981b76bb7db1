import type { BlockList } from 'node:net';
import {
  ConnectorsError,
  type CredentialCache,
  type FailedAttempts,
  type Renewals,
  type WriteLine,
} from '@connectors/vault-core';
import type { Logger } from 'pino';
import { checkGrant } from './access/check-grant.ts';
import { findIntegration } from './access/find-integration.ts';
import { limitRate } from './access/limit-rate.ts';
import type { LoadShedder } from './access/load-shedder.ts';
import { enterProxy, enterUpstream, shedLoad, type Occupancy } from './access/occupancy.ts';
import type { TenantRates } from './access/tenant-rates.ts';
import { keepCredential, obtainCredential } from './credential/obtain-credential.ts';
import type { Exchange } from './exchange.ts';
import { identifyAgent } from './identity/identify-agent.ts';
import type { AgentTokens } from './identity/agent-tokens.ts';
import type { Admissions } from './identity/admissions.ts';
import type { KnownAgents } from './identity/known-agents.ts';
import { isNamed } from './injection/request-headers.ts';
import { answerMessage } from './mcp/answer-message.ts';
import { checkOrigin } from './mcp/check-origin.ts';
import { checkSession } from './mcp/check-session.ts';
import { inspectMessage } from './mcp/inspect-message.ts';
import type { SessionIds } from './mcp/session-ids.ts';
import type { ProxyMetrics } from './metrics.ts';
import { answerProblem } from './routes/problem.ts';
import { readTarget } from './routes/target.ts';
import type { Dispatchers } from './upstream/dispatchers.ts';
import { forward, takeBody } from './upstream/forward.ts';
import type { KeptBodies } from './upstream/kept-bodies.ts';
import type { Upstreams } from './upstream/upstreams.ts';

/** What the steps work with. */
export interface ProxyParts {
  agents: KnownAgents;
  admissions: Admissions;
  /** Agents that present a token; absent where no issuer is configured. */
  tokens: AgentTokens | undefined;
  failures: FailedAttempts;
  /** Whose word counts for where a request comes from. */
  trustedProxies: BlockList | undefined;
  /** The requests under way. */
  underWay: Set<Exchange>;
  /** Whether the proxy shuts down: each connection ends with what is under way on it. */
  isStopping: boolean;
  /** Absent: tenants may send as much as they like. */
  rates: TenantRates | undefined;
  occupancy: Occupancy;
  shedder: LoadShedder;
  credentials: CredentialCache;
  renewals: Renewals;
  upstreams: Upstreams;
  sessionIds: SessionIds;
  /** The web origins whose pages may call MCP servers. */
  mcpOrigins: ReadonlySet<string>;
  dispatchers: Dispatchers;
  keptBodies: KeptBodies;
  /** How long an upstream may take to begin its response. */
  headersTimeoutMs: number;
  /** How long an agent may send nothing when something is due from it. */
  agentIdleMs: number;
  /** What connect links begin with. */
  consoleUrl: string;
  /** How agents reach this proxy, if it was told. */
  proxyUrl: string | undefined;
  metrics: ProxyMetrics;
  log: Logger;
  /** Write the lines of the access log and of the audit trail, where these are wanted. */
  writeAccess: WriteLine | undefined;
  writeAudit: WriteLine | undefined;
  now: () => number;
}

type Step = (exchange: Exchange, parts: ProxyParts) => void | Promise<void>;

/** A request, step by step. A step that throws a ConnectorsError ends it with that answer. */
const steps: readonly Step[] = [
  shedLoad, //         503 overloaded
  identifyAgent, //    401 agent_unauthenticated, 429, 503
  parseTarget, //      400 invalid_request
  checkOrigin, //      403 origin_forbidden
  checkGrant, //       403 agent_forbidden
  limitRate, //        429 rate_limited
  enterProxy, //       429 rate_limited
  findIntegration, //  404 integration_unknown
  checkSession, //     404 session_unknown
  inspectMessage, //   MCP: 403 agent_forbidden, 400, 413
  obtainCredential, // 424 credential_not_found, token_expired, 503
  takeBody,
  keepCredential, //   424 if it is gone by now
  enterUpstream, //    503 overloaded
  forward, //          401 of the upstream: refresh, replay once; 413, 502, 504
];

function parseTarget(exchange: Exchange): void {
  const { httpVersionMajor, httpVersionMinor, rawHeaders, method, headers } = exchange.request;
  if (httpVersionMajor < 1) throw new ConnectorsError('invalid_request', 'The request is not HTTP/1.1');
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) if (isNamed(rawHeaders[i], 'host')) hosts += 1;
  // RFC 9112 3.2
  if (hosts === 0 && httpVersionMinor > 0)
    throw new ConnectorsError('invalid_request', 'The request has no Host');
  if (hosts > 1) throw new ConnectorsError('invalid_request', 'The request has several Hosts');
  // RFC 9110 9.3.8: the upstream would send back all that it got, and so the token.
  if (method === 'TRACE') throw new ConnectorsError('invalid_request', 'TRACE is not passed on');
  // What stays of another coding when the chunks are gone, the upstream would take for the content.
  if (!/^(?:chunked)?$/i.test(headers['transfer-encoding'] ?? ''))
    throw new ConnectorsError('invalid_request', 'Transfer-Encoding may only be chunked');
  exchange.target = readTarget(exchange.url);
}

/** Takes a request through all steps. A step that has its answer at hand is not waited for. */
export async function serve(exchange: Exchange, parts: ProxyParts): Promise<void> {
  try {
    for (let i = 0; i < steps.length; i += 1) {
      const pending = steps[i]?.(exchange, parts);
      if (pending === undefined) continue;
      await pending;
      // The agent went away meanwhile: what further steps took up for it, nobody would give back.
      if (exchange.response.destroyed) return;
    }
  } catch (error) {
    if (!(await answerMessage(exchange, error, parts))) answerProblem(exchange, error, parts);
  }
}
