import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

const tlsFile = (name: string) => readFileSync(new URL(`../../../oauth/test/tls/${name}`, import.meta.url));

/** Self-signed for localhost and 127.0.0.1. */
export const certificate = String(tlsFile('cert.pem'));

/** A tenant's server: notes what it is sent, and answers 204 unless told otherwise. Closes with the test. */
export async function startReceiver({ secure = false } = {}) {
  const received: Received[] = [];
  const receiver = { respond: (response: ServerResponse): unknown => response.writeHead(204).end() };
  let open = 0;
  const listener: RequestListener = (request, response) => {
    open += 1;
    response.on('close', () => (open -= 1));
    void text(request)
      .then((body) => {
        received.push({ headers: request.headers, body });
        receiver.respond(response);
      })
      .catch(() => undefined);
  };
  const server = secure
    ? createTlsServer({ cert: certificate, key: tlsFile('key.pem') }, listener)
    : createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return Object.assign(receiver, {
    url: `${secure ? 'https' : 'http'}://127.0.0.1:${port}/hooks?from=connectors`,
    port,
    received,
    /** Requests that are under way. */
    open: () => open,
  });
}
