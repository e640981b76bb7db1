import { once } from 'node:events';
import { createServer, request as send, type OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';

/** Where requests go, and the token that is added to them. */
export interface Target {
  url: string;
  token: string;
}

/**
 * Listens on 127.0.0.1 and passes everything on with `Authorization` added, which the suite's client cannot do. Host and
 * Origin, bytes and aborts pass as they come.
 */
export async function startHeaderHop(target: () => Target) {
  const server = createServer((incoming, response) => {
    const { url, token } = target();
    const headers: OutgoingHttpHeaders = { ...incoming.headers, authorization: `Bearer ${token}` };
    const outgoing = send(url, { method: incoming.method ?? 'GET', headers });
    response.once('close', () => outgoing.destroy());
    outgoing.once('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      pipeline(answer, response, () => undefined);
    });
    outgoing.once('error', () => response.destroy());
    incoming.pipe(outgoing);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    url: `${origin}/mcp`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
