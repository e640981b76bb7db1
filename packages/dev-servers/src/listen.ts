import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Server as NetServer } from 'node:net';

/**
 * Listens on 127.0.0.1 and returns the port; 0 picks a free one.
 *
 * @throws {Error} that names `what` and the port when it is taken
 */
export async function listen(server: Server | NetServer, port: number, what: string): Promise<number> {
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if (!isCode(error, 'EADDRINUSE')) throw error;
    throw new Error(
      `Port ${port} is taken, so ${what} cannot listen on it: stop what runs there, or choose another port.`,
      { cause: error },
    );
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error(`${what} has no port`);
  return address.port;
}

/** Closes at once, connections that are in use included. Does nothing when it is closed already. */
export async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
