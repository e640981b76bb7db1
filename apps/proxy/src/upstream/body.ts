import type { IncomingMessage } from 'node:http';
import { ConnectorsError } from '@connectors/vault-core';

/** An agent's request body, on its way to the upstream. */
export type RequestBody =
  | { kind: 'none' }
  /** Small enough to be sent twice. */
  | { kind: 'kept'; bytes: Buffer }
  /** Passes through once, as fast as both sides allow. `length` is absent for a chunked one. */
  | { kind: 'streamed'; chunks: AsyncIterable<Buffer>; length: number | undefined; isLarge: boolean };

/** A body up to this size is kept for a replay. */
const maxKeptBytes = 1024 * 1024;

/** One that takes longer to arrive, in milliseconds, is not kept: it would take up memory for as long as an agent likes. */
const maxKeepingMs = 10_000;

export interface ReadBodyOptions {
  /** How long the agent may send nothing while its body is waited for. */
  idleMs: number;
  /** Whether there is room to keep so many more bytes. */
  keep: (bytes: number) => boolean;
}

/** Reads a body that is small; any other is left to be streamed. */
export async function readBody(
  request: IncomingMessage,
  { idleMs, keep }: ReadBodyOptions,
): Promise<RequestBody> {
  const length = declaredLength(request);
  const source = chunksOf(request, idleMs);
  const chunks: Buffer[] = [];
  const begunAt = performance.now();
  let size = 0;
  for (let isKept = (length ?? 0) <= maxKeptBytes; isKept;) {
    const { done, value } = await source.next();
    if (done === true) return { kind: 'kept', bytes: Buffer.concat(chunks) };
    chunks.push(value);
    size += value.length;
    isKept = size <= maxKeptBytes && performance.now() - begunAt <= maxKeepingMs && keep(value.length);
  }
  const isLarge = Math.max(length ?? 0, size) > maxKeptBytes;
  return { kind: 'streamed', chunks: stream(request, chunks, source), length, isLarge };
}

async function* chunksOf(request: IncomingMessage, idleMs: number): AsyncGenerator<Buffer, void> {
  // Not destroyed when the upstream stops listening: the answer goes out on the same connection.
  const source = request.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
  try {
    for (;;) {
      const { done, value } = await inTime(source.next(), idleMs);
      if (done === true) break;
      yield value;
    }
  } finally {
    // It would keep what is left from being read away.
    void source.return?.();
  }
  if (request.rawTrailers.length > 0) refuseTrailers();
}

async function* stream(
  request: IncomingMessage,
  begun: Buffer[],
  rest: AsyncIterable<Buffer>,
): AsyncIterable<Buffer> {
  try {
    yield* begun;
    yield* rest;
  } finally {
    // Nobody reads on: what the agent still sends must not block its connection.
    request.resume();
  }
}

/** An agent that opens many requests and sends nothing must not hold them for ever. */
async function inTime<T>(next: Promise<T>, idleMs: number): Promise<T> {
  const { promise: timeUp, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new ConnectorsError('invalid_request', 'The body did not arrive in time'));
  }, idleMs);
  try {
    return await Promise.race([next, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether a body follows the headers (RFC 9112 6.3). */
export function hasBody({ headers }: IncomingMessage): boolean {
  if (headers.trailer !== undefined) refuseTrailers();
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

/** They would have to be checked like headers, when the headers are sent already. */
function refuseTrailers(): never {
  throw new ConnectorsError('invalid_request', 'Trailers of requests are not passed on');
}

function declaredLength({ headers }: IncomingMessage): number | undefined {
  return headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
}
