import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';

/** A bare connection to a server, with all that came back on it. */
export function dial(url: string): { socket: Socket; received: () => string } {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1'))).on('error', () => undefined);
  return { socket, received: () => text };
}

/** Sends bytes as they are, and returns all that comes back until the connection ends. */
export async function exchange(url: string, bytes: string): Promise<string> {
  const { socket, received } = dial(url);
  socket.write(Buffer.from(bytes, 'latin1'));
  await new Promise((resolve) => socket.once('close', resolve));
  return received();
}

/** Of an answer, or of several one after the other. */
export function statuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

/** An upstream that speaks whatever bytes the test wants; what it received is kept. */
export async function startRawUpstream() {
  const sockets = new Set<Socket>();
  const upstream = {
    url: '',
    /** Called with each piece that arrives, as latin1. */
    handle: (_text: string, _socket: Socket): void => undefined,
    /** All that arrived. */
    received: '',
    close,
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1');
      upstream.received += text;
      upstream.handle(text, socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  upstream.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  async function close(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  }
  return upstream;
}
