import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface RelayedRequest {
  method: string;
  /** Without `/v1/` and query. */
  path: string;
  query: string;
  token: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

/** What happens to a request on its way to Vault. */
export type Fault =
  /** The connection breaks before Vault sees the request. */
  | 'reset'
  /** Vault does what it was asked for, and the connection breaks before its answer is through. */
  | 'lost answer'
  /** Nobody ever answers. */
  | 'silence'
  | { status: number; body: string };

type Disturbance = Fault | undefined | Promise<Fault | undefined>;

export const sealed: Fault = { status: 503, body: '{"errors":["Vault is sealed"]}' };

/** The certificates of `test/tls`: Vault's for 127.0.0.1, the CA that signed it, and another CA. */
export const tlsFile = (name: 'ca' | 'other-ca' | 'vault' | 'vault.key'): string =>
  new URL(`tls/${name}.pem`, import.meta.url).pathname;

/** A server in front of a Vault that notes what it is asked, and disturbs what it is told to. Closes with the test. */
export async function startRelay(vaultAddress = 'http://127.0.0.1:9', { secure = false } = {}) {
  const requests: RelayedRequest[] = [];
  /** Says what happens to a request, and may let other things happen before; set by tests. */
  const relay = { disturb: (_request: RelayedRequest): Disturbance => undefined };
  let connections = 0;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = await read(request);
    requests.push(seen);
    const fault = await relay.disturb(seen);
    if (fault === 'silence') return;
    if (fault === 'reset') return void request.socket.destroy();
    const answer = typeof fault === 'object' ? fault : await forward(vaultAddress, request.url ?? '', seen);
    if (fault === 'lost answer') return void request.socket.destroy();
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
  }

  const listener = (request: IncomingMessage, response: ServerResponse): void =>
    void handle(request, response);
  const server = secure
    ? createTlsServer(
        { cert: readFileSync(tlsFile('vault')), key: readFileSync(tlsFile('vault.key')) },
        listener,
      )
    : createServer(listener);
  server.on('connection', () => (connections += 1));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;

  return Object.assign(relay, {
    address: `${secure ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    connections: () => connections,
    /** How often a path was asked for. */
    count: (path: string) => requests.filter((request) => request.path === path).length,
    /** Disturbs the next requests, one fault each, of those to a path if one is named. */
    disturbNext(faults: Fault[], path?: string) {
      const left = [...faults];
      relay.disturb = (request) => (path === undefined || request.path === path ? left.shift() : undefined);
    },
  });
}

export type Relay = Awaited<ReturnType<typeof startRelay>>;

async function read(request: IncomingMessage): Promise<RelayedRequest> {
  const { pathname, search } = new URL(request.url ?? '', 'http://relay');
  const token = request.headers['x-vault-token'];
  return {
    method: request.method ?? '',
    path: pathname.replace('/v1/', ''),
    query: search,
    token: typeof token === 'string' ? token : undefined,
    headers: request.headers,
    body: await text(request),
  };
}

async function forward(
  vaultAddress: string,
  url: string,
  { method, token, body }: RelayedRequest,
): Promise<{ status: number; body: string }> {
  const response = await fetch(`${vaultAddress}${url}`, {
    method,
    headers: token === undefined ? {} : { 'X-Vault-Token': token },
    ...(body === '' ? {} : { body }),
  });
  return { status: response.status, body: await response.text() };
}
