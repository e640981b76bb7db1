import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { EgressRefusedError } from '@connectors/egress';
import type { EgressGuard } from '@connectors/egress';
import { Secret } from '@connectors/vault-core';
import { afterRunning } from './running-time.ts';

/** Bytes. Token responses and discovery documents are a few kilobytes. */
const maxResponseSize = 256 * 1024;

/** Milliseconds for one call as a whole; slow providers take seconds. */
const defaultTimeoutMs = 15_000;

/** Milliseconds that an answer may take to arrive whole, once it has begun in time. */
const bodyMs = 2_000;

// A connection per call: on a kept one that the provider has just closed, nobody can tell whether the refresh token
// was spent. TLS sessions are resumed all the same. Own agents also ignore proxy variables of the environment.
const agents = { http: new HttpAgent({ keepAlive: false }), https: new HttpsAgent({ keepAlive: false }) };

export interface CallOptions {
  guard: EgressGuard;
  now?: () => number;
  /** For the call as a whole, in milliseconds. */
  timeoutMs?: number;
  /** Gives the call up at once, for example at a deadline. */
  signal?: AbortSignal;
}

/** What a provider said, unjudged. Its body prints as `[secret]`. */
export interface ProviderAnswer {
  status: number;
  headers: { 'retry-after'?: string; date?: string; 'content-type'?: string };
  body: Secret;
  /** When the answer was complete, in milliseconds on the clock of the call. */
  receivedAt: number;
}

/** Why no complete answer came; safe to log. */
export type CallFailure =
  | 'egress_refused'
  | 'client_secret_missing'
  | 'private_key_missing'
  | 'private_key_invalid'
  | 'fields_invalid'
  | 'dns_failure'
  | 'connection_refused'
  | 'connection_failed'
  | 'tls_failure'
  | 'discovery_failed'
  | 'discovery_invalid'
  | 'timeout'
  | 'aborted'
  | 'connection_lost'
  | 'response_cut'
  | 'response_too_large';

/**
 * No complete answer came. `sent` is 'no' only when the request certainly never reached the provider, so that a
 * refresh token is certainly unspent. Carries no cause: its message alone is known to be harmless.
 */
export class TokenRequestError extends Error {
  readonly code: CallFailure;
  readonly sent: 'no' | 'maybe';

  constructor(code: CallFailure, sent: 'no' | 'maybe') {
    super(`Request to the provider failed: ${code}`);
    this.name = 'TokenRequestError';
    this.code = code;
    this.sent = sent;
  }
}

export interface Call {
  method: 'GET' | 'POST';
  url: string;
  headers?: Record<string, string>;
  body?: string;
}

/**
 * Makes one call to a provider, through the egress guard, without redirects and retries.
 *
 * @throws {TokenRequestError}
 */
export async function callProvider(call: Call, options: CallOptions): Promise<ProviderAnswer> {
  const { guard, now = Date.now, timeoutMs = defaultTimeoutMs, signal } = options;
  const url = checkedUrl(guard, call.url);
  if (signal?.aborted === true) throw new TokenRequestError('aborted', 'no');
  const request = openRequest(url, call, guard);
  const progress = watch(request, url.protocol === 'https:');
  let givenUp: CallFailure | undefined;
  const giveUp = (reason: CallFailure): void => {
    givenUp ??= reason;
    request.destroy();
  };
  const abort = (): void => giveUp('aborted');
  signal?.addEventListener('abort', abort);
  let stopWaiting = afterRunning(timeoutMs, () => {
    // An answer that has begun is worth the time it takes to read it.
    if (!progress.answered) return giveUp('timeout');
    stopWaiting = afterRunning(bodyMs, () => giveUp('timeout'));
  });
  try {
    const response = await responseTo(request, call.body);
    const body = await readBody(response, () => giveUp('response_too_large'));
    return toAnswer(response, body, now());
  } catch (error) {
    throw new TokenRequestError(givenUp ?? failureCode(error, progress), progress.sent ? 'maybe' : 'no');
  } finally {
    stopWaiting();
    signal?.removeEventListener('abort', abort);
  }
}

function openRequest(url: URL, { method, headers }: Call, guard: EgressGuard): ClientRequest {
  const isSecure = url.protocol === 'https:';
  const open = isSecure ? httpsRequest : httpRequest;
  return open(url, {
    method,
    agent: isSecure ? agents.https : agents.http,
    // Compressed answers would escape the size limit.
    headers: {
      accept: 'application/json',
      'accept-encoding': 'identity',
      'user-agent': 'connectors',
      ...headers,
    },
    lookup: guard.lookup,
    // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    rejectUnauthorized: true,
  });
}

function responseTo(request: ClientRequest, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject);
    request.end(body);
  });
}

function readBody(response: IncomingMessage, onTooLarge: () => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxResponseSize) onTooLarge();
      else chunks.push(chunk);
    });
    response.once('end', () => (size > maxResponseSize ? reject(cutShort) : resolve(Buffer.concat(chunks))));
    response.on('error', reject);
    response.once('close', () => reject(cutShort));
  });
}

const cutShort = new Error('the response was cut short');

function toAnswer(
  { statusCode = 0, headers }: IncomingMessage,
  body: Buffer,
  receivedAt: number,
): ProviderAnswer {
  const kept: ProviderAnswer['headers'] = {};
  for (const name of ['retry-after', 'date', 'content-type'] as const) {
    const value = headers[name];
    if (value !== undefined) kept[name] = value;
  }
  return { status: statusCode, headers: kept, body: new Secret(new TextDecoder().decode(body)), receivedAt };
}

function checkedUrl(guard: EgressGuard, url: string): URL {
  try {
    return guard.check(url);
  } catch (error) {
    if (error instanceof EgressRefusedError) throw new TokenRequestError('egress_refused', 'no');
    throw error;
  }
}

interface Progress {
  connected: boolean;
  sent: boolean;
  answered: boolean;
}

/** Node writes a request out once the connection, under TLS the handshake with its certificate check, stands. */
function watch(request: ClientRequest, isSecure: boolean): Progress {
  const progress: Progress = { connected: false, sent: false, answered: false };
  request.once('socket', (socket: Socket) => {
    if (!socket.connecting) Object.assign(progress, { connected: true, sent: true });
    socket.once('connect', () => {
      progress.connected = true;
    });
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      progress.sent = true;
    });
  });
  request.once('response', () => {
    progress.answered = true;
  });
  return progress;
}

function failureCode(error: unknown, progress: Progress): CallFailure {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code === 'egress_refused') return 'egress_refused';
  if (code === 'ENOTFOUND' || code.startsWith('EAI_')) return 'dns_failure';
  if (code === 'ECONNREFUSED') return 'connection_refused';
  if (!progress.connected) return 'connection_failed';
  if (!progress.sent) return 'tls_failure';
  return progress.answered ? 'response_cut' : 'connection_lost';
}
