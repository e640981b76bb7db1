import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An upstream that does as the test says; `handle` may be exchanged at any time. */
export async function startUpstream() {
  const upstream = { url: '', handle: ((_, response) => response.end()) as RequestListener, close };
  const server = createServer((request, response) => upstream.handle(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  upstream.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  async function close(): Promise<void> {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
  return upstream;
}
