import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An upstream whose streams begin with one event at once, and say nothing more until they are told to. */
export async function startEventSource() {
  const open = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    response.write('data: first\n\n');
    open.add(response);
    response.once('close', () => open.delete(response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Sends an event on every stream that is open, and says on how many. */
    speak: () => {
      for (const response of open) response.write('data: later\n\n');
      return open.size;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
