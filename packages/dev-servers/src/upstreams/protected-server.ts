import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { fingerprint } from '../fingerprint.ts';
import { closeServer, listen } from '../listen.ts';
import { createTokenCheck, type Caller, type Introspector, type TokenCheck } from './token-check.ts';

/** One request as the upstream saw it. */
export interface UpstreamRequest {
  /** Milliseconds since the epoch. */
  at: number;
  method: string;
  /** The request target as received: path and query, not normalised. */
  url: string;
  /** Of the bearer token that came along, valid or not. */
  tokenFingerprint?: string;
  /** Absent until the answer has begun. */
  status?: number;
  /** The caller went away before the answer was complete. */
  aborted: boolean;
}

export interface ProtectedServer {
  url: string;
  /** Every request, in the order of their arrival. */
  requests: UpstreamRequest[];
  /** How often each token was presented, by its fingerprint. */
  tokensSeen: Map<string, number>;
  close(): Promise<void>;
}

export interface UpstreamOptions {
  authorizationServer: Introspector;
  /** 0, the default, picks a free one. */
  port?: number;
}

type Handle = (request: IncomingMessage, response: ServerResponse, caller: Caller) => Promise<void>;

/** Starts an HTTP server on 127.0.0.1 that lets `handle` see only requests with a valid bearer token. */
export async function startProtectedServer(
  { authorizationServer, port = 0 }: UpstreamOptions,
  what: string,
  handle: Handle,
): Promise<ProtectedServer> {
  const check = createTokenCheck(authorizationServer);
  const requests: UpstreamRequest[] = [];
  const tokensSeen = new Map<string, number>();
  const server = createServer((request, response) => {
    const token = bearerToken(request);
    requests.push(logEntry(request, response, token));
    if (token) tokensSeen.set(fingerprint(token), (tokensSeen.get(fingerprint(token)) ?? 0) + 1);
    void admit(check, token, request, response, handle).catch(() => fail(response));
  });
  const url = `http://127.0.0.1:${await listen(server, port, what)}`;
  return {
    url,
    requests,
    tokensSeen,
    close: () => closeServer(server),
  };
}

async function admit(
  check: TokenCheck,
  token: string | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  handle: Handle,
): Promise<void> {
  const caller = token === undefined ? undefined : await check(token);
  if (caller) return await handle(request, response, caller);
  response.setHeader('www-authenticate', 'Bearer error="invalid_token"');
  sendJson(response, 401, { error: 'invalid_token' });
}

/** Answers with a JSON body. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}

function fail(response: ServerResponse): void {
  if (response.headersSent) response.destroy();
  else sendJson(response, 500, { error: 'upstream_failed' });
}

function logEntry(
  request: IncomingMessage,
  response: ServerResponse,
  token: string | undefined,
): UpstreamRequest {
  const entry: UpstreamRequest = {
    at: Date.now(),
    method: request.method ?? '',
    url: request.url ?? '',
    ...(token ? { tokenFingerprint: fingerprint(token) } : {}),
    aborted: false,
  };
  response.on('close', () => {
    entry.aborted = !response.writableFinished;
    if (response.headersSent) entry.status = response.statusCode;
  });
  return entry;
}

function bearerToken(request: IncomingMessage): string | undefined {
  return /^Bearer +([\w.~+/-]+=*)$/i.exec(request.headers.authorization ?? '')?.[1];
}
