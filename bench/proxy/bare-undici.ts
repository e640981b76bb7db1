import { createServer } from 'node:http';
import { Agent, type Dispatcher } from 'undici';

/*
 * The least that a proxy on Node can do: node:http in front, undici's dispatch behind, a token put in, everything else
 * passed on as it comes. It checks nothing.
 */

const [port = '', origin = '', token = ''] = process.argv.slice(2);
const dispatcher = new Agent();

createServer((request, response) => {
  const headers: string[] = [];
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i] ?? '';
    if (!/^(?:host|connection|authorization)$/i.test(name))
      headers.push(name, request.rawHeaders[i + 1] ?? '');
  }
  headers.push('Authorization', `Bearer ${token}`);
  dispatcher.dispatch(
    { origin, path: request.url ?? '/', method: request.method as Dispatcher.HttpMethod, headers },
    {
      onRequestStart() {},
      onResponseStart(controller, status) {
        const received = controller.rawHeaders as Buffer[];
        const passed: string[] = [];
        for (let i = 0; i + 1 < received.length; i += 2) {
          const name = String(received[i]);
          if (!/^connection$/i.test(name)) passed.push(name, String(received[i + 1]));
        }
        response.writeHead(status, passed);
      },
      onResponseData: (_controller, chunk) => void response.write(chunk),
      onResponseEnd: () => void response.end(),
      onResponseError: () => void response.destroy(),
    },
  );
}).listen(Number(port), '127.0.0.1');

// Profiles are written by a process that ends by itself.
process.once('SIGTERM', () => process.exit());
