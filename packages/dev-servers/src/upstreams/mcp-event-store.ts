import type { EventStore } from '@modelcontextprotocol/server';

type Message = Parameters<EventStore['storeEvent']>[1];

/** Remembers what one session's streams have carried, so that a client that lost one can go on after the last event it saw. */
export function createEventStore(): EventStore {
  const events: { streamId: string; message: Message }[] = [];
  const streamOf = (eventId: string) => events[Number(eventId)]?.streamId;
  return {
    storeEvent: async (streamId, message) => String(events.push({ streamId, message }) - 1),
    getStreamIdForEventId: async (eventId) => streamOf(eventId),
    replayEventsAfter: async (lastEventId, { send }) => {
      const streamId = streamOf(lastEventId) ?? 'unknown';
      for (const [index, event] of [...events.entries()].slice(Number(lastEventId) + 1)) {
        // What primes a stream has no content.
        const isMessage = 'jsonrpc' in event.message;
        if (event.streamId === streamId && isMessage) await send(String(index), event.message);
      }
      return streamId;
    },
  };
}
