import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface SeenRequest {
  method: string | undefined;
  path: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Self-signed for localhost and 127.0.0.1; nobody trusts it unless a test says so. */
export const certificate = readFileSync(new URL('tls/cert.pem', import.meta.url), 'utf8');
const key = readFileSync(new URL('tls/key.pem', import.meta.url), 'utf8');

/** A server on loopback that notes what it is asked and closes with the test. */
export async function startEndpoint(
  respond: (response: ServerResponse, request: SeenRequest) => void,
  { secure = false } = {},
): Promise<{ url: string; server: Server; requests: SeenRequest[] }> {
  const requests: SeenRequest[] = [];
  const listener: RequestListener = (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const seen = { method: request.method, path: request.url, headers: request.headers, body };
      requests.push(seen);
      respond(response, seen);
    });
  };
  const server = secure ? createTlsServer({ cert: certificate, key }, listener) : createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `${secure ? 'https' : 'http'}://127.0.0.1:${port}`, server, requests };
}

export function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
