import { PassThrough } from 'node:stream';
import { historyIdPattern, type EventHistory, type HistoryOf } from '@connectors/refresh';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Intermediaries close what is silent. */
const heartbeatMs = 15_000;

/** A browser that was cut off comes back by itself, and its session is looked at anew. */
const lifetimeMs = 5 * 60_000;

/** Viewers at a time, of all pages and of one tenant's; pages without a stream look by themselves every few seconds. */
const maxStreams = 500;
const maxOfOne = 50;

/**
 * Tells pages that something has happened, as server-sent events: ids of the history and nothing else, since a page reads
 * again what it shows.
 */
export class EventStreams {
  readonly #history: EventHistory;
  readonly #open = new Set<{ tenantId: string | undefined }>();

  constructor(history: EventHistory) {
    this.#history = history;
  }

  send(of: HistoryOf, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const viewer = { tenantId: of.tenantId };
    const ofOne = [...this.#open].filter(({ tenantId }) => tenantId === viewer.tenantId);
    if (this.#open.size >= maxStreams || ofOne.length >= maxOfOne)
      return reply.code(503).header('retry-after', '30').send();
    this.#open.add(viewer);
    const stream = new PassThrough();
    const last = request.headers['last-event-id'];
    const unsubscribe = this.#history.subscribe(
      of,
      ({ id }) => {
        // Who does not read gets no backlog: the page reads it all when it comes back.
        if (stream.writableNeedDrain) stream.end();
        else stream.write(`id: ${id}\nevent: change\ndata: ${id}\n\n`);
      },
      typeof last === 'string' && historyIdPattern.test(last) ? last : undefined,
    );
    const heartbeat = setInterval(() => stream.write(':\n\n'), heartbeatMs);
    const end = setTimeout(() => stream.end(), lifetimeMs);
    stream.once('close', () => {
      this.#open.delete(viewer);
      unsubscribe();
      clearInterval(heartbeat);
      clearTimeout(end);
    });
    stream.write('retry: 2000\n\n');
    return reply.type('text/event-stream').header('x-accel-buffering', 'no').send(stream);
  }
}
