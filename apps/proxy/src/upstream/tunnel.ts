import type { Socket } from 'node:net';
import { pipeline, type Duplex } from 'node:stream';
import type { Exchange } from '../exchange.ts';
import type { RawHeaders } from '../injection/request-headers.ts';

/** A connection that an agent wants to speak WebSocket on, with what it has sent behind its request already. */
export interface Upgrade {
  socket: Socket;
  head: Buffer;
}

/** How long one side may speak on after the other has ended. */
const lingerMs = 5_000;

/**
 * Tells the agent that the upstream speaks WebSocket, and passes bytes both ways, at both sides' pace, until either side ends.
 *
 * @param headers of the upstream's 101, without those of its connection
 */
export function openTunnel(
  { response }: Exchange,
  { socket: agent, head }: Upgrade,
  upstream: Duplex,
  headers: RawHeaders,
): void {
  response.writeHead(101, [...headers, 'Connection', 'Upgrade', 'Upgrade', 'websocket']);
  response.end();
  if (head.length > 0) upstream.write(head);
  // An error on one side ends the other. After a clean end the other side may say its last words.
  const linger = () => {
    setTimeout(() => [agent, upstream].forEach((socket) => socket.destroy()), lingerMs).unref();
  };
  pipeline(agent, upstream, linger);
  pipeline(upstream, agent, linger);
}
