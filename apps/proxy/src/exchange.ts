import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CredentialUse, Upstream } from '@connectors/oauth';
import type { ConnectorsError, CredentialId, UsableCredential } from '@connectors/vault-core';
import type { KnownAgent } from './identity/known-agents.ts';
import type { McpMessage } from './mcp/message.ts';
import type { RequestBody } from './upstream/body.ts';
import type { Upgrade } from './upstream/tunnel.ts';
import type { Target } from './routes/target.ts';
import type { Relay } from './upstream/relay.ts';

/** An agent key in the wrong header is no request id. */
const safeId = /^(?!cak_)[A-Za-z0-9._-]{1,128}$/;

/** One request on its way through the pipeline. Each step sets what the later ones read. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The request target as it was sent. */
  readonly url: string;
  /** Names the request in logs and answers; the caller's own, if that is safe to print. */
  readonly requestId: string;
  readonly startedAt = performance.now();

  agent!: KnownAgent;
  /** When its key or token ends, in milliseconds since the epoch. */
  agentUntil = Infinity;
  target!: Target;
  credentialId!: CredentialId;
  upstream!: Upstream;
  credential!: UsableCredential;
  /** Whether it is about to expire although its refresh was waited for. */
  isLast = false;
  /** Whether another credential was stored since, or this one was deleted. */
  isOutdated = false;
  /** How the credential was used that was sent last. */
  use!: CredentialUse;
  body!: RequestBody;
  /** Between the agent and its upstream, while that is at work. */
  relay: Relay | undefined;

  /** The agent's headers that may be passed on: all, unless a step removes some. */
  headers: readonly string[];
  /** The MCP messages in its body, where the agent's grants had them read. */
  messages: readonly McpMessage[] | undefined;
  /** Turns an MCP session id of the upstream into one for this agent. */
  signSession: ((upstreamId: string) => string) | undefined;
  /** The connection, if the agent wants to speak WebSocket on it. */
  upgrade: Upgrade | undefined;
  /** Where it counts; see `Occupancy`. */
  occupies: string[] = [];
  /** Whether it has become an event stream or a WebSocket. */
  isStream = false;
  /** How many bytes of its body are kept in memory. */
  keptBytes = 0;

  /** For the access line. */
  credentialFrom: 'cache' | 'source' | 'stale' | undefined;
  isForced = false;
  /** Milliseconds until the upstream's response began; the last one if the request was replayed. */
  upstreamMs: number | undefined;
  error: ConnectorsError | undefined;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.response = response;
    this.url = request.url ?? '';
    this.headers = request.rawHeaders;
    const presented = request.headers['x-request-id'];
    this.requestId = typeof presented === 'string' && safeId.test(presented) ? presented : nextRequestId();
  }

  /** Ends the connection, because the answer cannot be completed. A response that is queued behind another one cannot do that itself. */
  breakOff(): void {
    this.request.socket.destroy();
  }
}

const processId = randomBytes(8).toString('hex');
let requestCount = 0;

/** Unique, also among all other processes. */
export function nextRequestId(): string {
  requestCount += 1;
  return `${processId}-${requestCount.toString(36)}`;
}
