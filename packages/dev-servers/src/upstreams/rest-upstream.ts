import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parse } from 'node:querystring';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { sendJson, startProtectedServer } from './protected-server.ts';
import type { ProtectedServer, UpstreamOptions } from './protected-server.ts';
import type { Caller } from './token-check.ts';

export interface RestUpstream extends ProtectedServer {
  /** Lets every request that waits at `/slow` be answered. */
  release(): void;
}

/**
 * Starts a REST API that demands a bearer token. It answers any method and path with what it received, except:
 *
 * - `/status/{code}?Name=value`: that status, and the query as response headers
 * - `/events?n=5&interval=100`: n server-sent events, that many milliseconds apart
 * - `/bytes/{n}`: n bytes, byte i being i mod 251
 * - `/slow?ms=`: answers after that time, or without it when released
 * - `/redirect?to=/`: a 302
 * - `/set-cookie`: sets a cookie
 */
export async function startRestUpstream(options: UpstreamOptions): Promise<RestUpstream> {
  const held = new Set<() => void>();
  const server = await startProtectedServer(options, 'the REST upstream', (request, response, caller) =>
    answer({ request, response, caller, held }),
  );
  return {
    ...server,
    release: () => {
      for (const go of held) go();
      held.clear();
    },
  };
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  caller: Caller;
  held: Set<() => void>;
}

type Answer = (exchange: Exchange, query: URLSearchParams, argument: string) => void | Promise<void>;

const special: [RegExp, Answer][] = [
  [/^\/status\/([2-5]\d\d)$/, status],
  [/^\/events$/, events],
  [/^\/bytes\/(\d+)$/, bytes],
  [/^\/slow$/, slow],
  [/^\/redirect$/, ({ response }, query) => redirect(response, query.get('to') ?? '/')],
  [/^\/set-cookie$/, ({ response }) => setCookie(response)],
];

async function answer(exchange: Exchange): Promise<void> {
  const [path = '', search = ''] = (exchange.request.url ?? '').split(/\?(.*)/s);
  for (const [pattern, act] of special) {
    const match = pattern.exec(path);
    if (match) return await act(exchange, new URLSearchParams(search), match[1] ?? '');
  }
  await echo(exchange, path, search);
}

async function echo({ request, response, caller }: Exchange, path: string, search: string): Promise<void> {
  const { authorization: _, ...headers } = request.headers;
  const { account, tokenFingerprint, scopes } = caller;
  const body = await describeBody(request);
  sendJson(response, 200, {
    account,
    tokenFingerprint,
    scopes,
    method: request.method,
    path,
    query: parse(search),
    headers,
    body,
  });
}

const readableBytes = 16 * 1024;

/** Size and hash of a body, and its text when it is short. */
async function describeBody(request: IncomingMessage) {
  const hash = createHash('sha256');
  const start: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    hash.update(chunk);
    size += chunk.length;
    if (size <= readableBytes) start.push(chunk);
  }
  const text = size <= readableBytes ? { text: Buffer.concat(start).toString() } : {};
  return { bytes: size, sha256: hash.digest('hex'), ...text };
}

function status({ request, response }: Exchange, query: URLSearchParams, code: string): void {
  request.resume();
  for (const [name, value] of query) response.appendHeader(name, value);
  sendJson(response, Number(code), { status: Number(code) });
}

async function events({ response }: Exchange, query: URLSearchParams): Promise<void> {
  const count = Number(query.get('n') ?? 5);
  const interval = Number(query.get('interval') ?? 100);
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.flushHeaders();
  await send(response, async function* () {
    for (let id = 1; id <= count; id++) {
      if (id > 1) await delay(interval, undefined, { ref: false });
      yield `id: ${id}\nevent: tick\ndata: {"n":${id}}\n\n`;
    }
  });
}

async function bytes({ request, response }: Exchange, _query: URLSearchParams, count: string): Promise<void> {
  const size = Number(count);
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': size });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const block = Buffer.from(Array.from({ length: 251 * 256 }, (_value, index) => index % 251));
  await send(response, function* () {
    for (let sent = 0; sent < size; sent += block.length) yield block.subarray(0, size - sent);
  });
}

/** Streams with back-pressure; that the caller goes away in the middle is no failure of ours. */
async function send(
  response: ServerResponse,
  chunks: () => Iterable<Buffer> | AsyncIterable<string>,
): Promise<void> {
  await pipeline(Readable.from(chunks()), response).catch(() => response.destroy());
}

async function slow({ request, response, held }: Exchange, query: URLSearchParams): Promise<void> {
  request.resume();
  const ms = query.get('ms');
  await new Promise<void>((resolve) => {
    held.add(resolve);
    response.once('close', resolve);
    if (ms !== null) setTimeout(resolve, Number(ms)).unref();
  });
  sendJson(response, 200, { slow: true });
}

function redirect(response: ServerResponse, to: string): void {
  response.writeHead(302, { location: to }).end();
}

function setCookie(response: ServerResponse): void {
  response.setHeader('set-cookie', 'upstream=1; Path=/; HttpOnly');
  sendJson(response, 200, { cookie: true });
}
