import type { ClientRequest } from 'node:http';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import { EgressRefusedError } from '@connectors/egress';
import type { EgressGuard } from '@connectors/egress';
import { Secret } from '@connectors/vault-core';
import { afterRunning } from './running-time.ts';
import got, { RequestError } from 'got';
import type { Response } from 'got';

/** Bytes. Token responses and discovery documents are a few kilobytes. */
const maxResponseSize = 256 * 1024;

/** Milliseconds for one call as a whole; slow providers take seconds. */
const defaultTimeoutMs = 15_000;

/** Milliseconds that an answer may take to arrive whole, once it has begun in time. */
const bodyMs = 2_000;

// A connection per call: on a kept one that the provider has just closed, nobody can tell whether the refresh token
// was spent. TLS sessions are resumed all the same. Own agents also ignore proxy variables of the environment.
const agent = { http: new HttpAgent({ keepAlive: false }), https: new HttpsAgent({ keepAlive: false }) };

export interface CallOptions {
  guard: EgressGuard;
  now?: () => number;
  /** For the call as a whole, in milliseconds. */
  timeoutMs?: number;
  /** Gives the call up at once, for example at a deadline. */
  signal?: AbortSignal;
  /** Asked when the connection stands, which may take its time: without a yes the call is `aborted`, and nothing is sent. */
  maySend?: () => boolean;
}

/** A provider's raw answer. Its body prints as `[secret]`. */
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
 * refresh token is certainly unspent. Carries no cause: got's errors hold the form body.
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
  method: 'GET' | 'POST' | 'DELETE';
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
  const { guard, now = Date.now, timeoutMs = defaultTimeoutMs, signal, maySend = () => true } = options;
  const url = checkedUrl(guard, call.url);
  const progress: Progress = { connected: false, refused: false, sent: false, answered: false };
  const ending = new AbortController();
  let givenUp: CallFailure | undefined;
  const giveUp = (reason: CallFailure): void => {
    givenUp ??= reason;
    ending.abort();
  };
  let stopWaiting = afterRunning(timeoutMs, () => {
    // An answer that has begun is worth the time it takes to read it.
    if (!progress.answered) return giveUp('timeout');
    stopWaiting = afterRunning(bodyMs, () => giveUp('timeout'));
  });
  try {
    const request = provider(url, {
      method: call.method,
      ...(call.headers === undefined ? {} : { headers: call.headers }),
      ...(call.body === undefined ? {} : { body: call.body }),
      dnsLookup: guard.lookup,
      signal: signal === undefined ? ending.signal : AbortSignal.any([ending.signal, signal]),
    });
    void request.on('request', (sent: ClientRequest) =>
      watch(sent, url.protocol === 'https:', progress, maySend),
    );
    void request.on('downloadProgress', ({ transferred }: { transferred: number }) => {
      if (transferred > maxResponseSize) giveUp('response_too_large');
    });
    const response = await request;
    // One that came whole is kept, though its time may have been up a moment before.
    if (givenUp === 'response_too_large') throw new Error(givenUp);
    return toAnswer(response, now());
  } catch (error) {
    throw new TokenRequestError(givenUp ?? failureCode(error, progress), progress.sent ? 'maybe' : 'no');
  } finally {
    stopWaiting();
  }
}

const provider = got.extend({
  agent,
  // Compressed answers would escape the size limit.
  headers: { accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': 'connectors' },
  decompress: false,
  followRedirect: false,
  https: { rejectUnauthorized: true },
  responseType: 'buffer',
  retry: { limit: 0 },
  throwHttpErrors: false,
});

function toAnswer({ statusCode, headers, body }: Response<Uint8Array>, receivedAt: number): ProviderAnswer {
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
  refused: boolean;
  sent: boolean;
  answered: boolean;
}

/** Node writes a request out once the connection, under TLS the handshake with its certificate check, stands. */
function watch(request: ClientRequest, secure: boolean, progress: Progress, maySend: () => boolean): void {
  const onSocket = (socket: Socket) => {
    if (!socket.connecting) Object.assign(progress, { connected: true, sent: true });
    socket.once('connect', () => {
      progress.connected = true;
    });
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      // What was written so far still waits here, and goes down with the connection.
      if (maySend()) progress.sent = true;
      else {
        progress.refused = true;
        socket.destroy();
      }
    });
  };
  request.once('response', () => {
    progress.answered = true;
  });
  if (request.socket === null) request.once('socket', onSocket);
  else onSocket(request.socket);
}

function failureCode(error: unknown, progress: Progress): CallFailure {
  const code = error instanceof RequestError ? error.code : '';
  if (code === 'egress_refused') return 'egress_refused';
  if (progress.refused || code === 'ERR_ABORTED') return 'aborted';
  if (code === 'ENOTFOUND' || code.startsWith('EAI_')) return 'dns_failure';
  if (code === 'ECONNREFUSED') return 'connection_refused';
  if (!progress.connected) return 'connection_failed';
  if (!progress.sent) return 'tls_failure';
  return progress.answered ? 'response_cut' : 'connection_lost';
}
