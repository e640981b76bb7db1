import type { IncomingMessage } from 'node:http';

/** An agent's request body, on its way to the upstream. */
export type RequestBody =
  | { kind: 'none' }
  /** Small enough to be sent twice. */
  | { kind: 'kept'; bytes: Buffer }
  /** Passes through once, as fast as both sides allow. `length` is absent for a chunked one. */
  | { kind: 'streamed'; chunks: AsyncIterable<Buffer>; length: number | undefined };

/** A body up to this size is kept for a replay. */
const keptBytes = 1024 * 1024;

/** Reads a body that is small; a larger one is left to be streamed. */
export async function readBody(request: IncomingMessage): Promise<RequestBody> {
  const length = declaredLength(request);
  // Not destroyed when the upstream stops listening: the answer goes out on the same connection.
  const source = request.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
  const chunks: Buffer[] = [];
  if (length === undefined || length <= keptBytes) {
    for (let size = 0; size <= keptBytes;) {
      const { done, value } = await source.next();
      if (done === true) return { kind: 'kept', bytes: Buffer.concat(chunks) };
      chunks.push(value);
      size += value.length;
    }
  }
  return { kind: 'streamed', chunks: stream(request, chunks, source), length };
}

async function* stream(
  request: IncomingMessage,
  begun: Buffer[],
  rest: AsyncIterableIterator<Buffer>,
): AsyncIterable<Buffer> {
  try {
    yield* begun;
    yield* rest;
  } finally {
    // Nobody reads on: what the agent still sends must not block its connection.
    request.resume();
  }
}

/** Whether a body follows the headers (RFC 9112 6.3). */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

function declaredLength({ headers }: IncomingMessage): number | undefined {
  return headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
}
