import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AdminClient } from '../src/index.ts';

const adminToken = 'the-admin-token-of-this-test';
let server: Server;
let client: AdminClient;
let seen: IncomingMessage;
let respond: (response: ServerResponse) => void;

beforeAll(async () => {
  server = createServer((request, response) => {
    seen = request;
    respond(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  client = new AdminClient({ consoleUrl: `http://127.0.0.1:${port}/`, adminToken });
});

afterAll(() => {
  server.close();
});

it('puts parameters into the path or behind it, encoded', async () => {
  respond = (response) => response.end('{}');
  await client.call('listTenantEvents', { tenantId: '../a?b', limit: 2, before: '1-0' });
  expect(seen.url).toBe('/admin/tenants/..%2Fa%3Fb/events?limit=2&before=1-0');
});

it.each(['.', '..'])('refuses %s in a path: it would mean what is above', async (integration) => {
  respond = (response) => response.end('{}');
  await expect(client.call('disconnectCredential', { tenantId: 'acme', integration })).rejects.toMatchObject({
    status: 400,
    code: 'invalid_request',
  });
});

it('sends the token, and a key of the caller', async () => {
  respond = (response) => response.end('{}');
  const agent = { name: 'a', grants: [{ tenants: ['acme'] }] };
  await client.call('createAgent', {}, agent, { idempotencyKey: 'mine' });
  expect(seen.headers).toMatchObject({
    authorization: `Bearer ${adminToken}`,
    'content-type': 'application/json',
    'idempotency-key': 'mine',
  });
});

it('goes to no other address that it is sent to: the token is for the console alone', async () => {
  respond = (response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end();
  await expect(client.call('listAgents', {})).rejects.toMatchObject({ status: 302, code: 'unknown' });
});

it('says how long to wait', async () => {
  respond = (response) => response.writeHead(503, { 'retry-after': '5' }).end();
  await expect(client.call('listAgents', {})).rejects.toMatchObject({ retryAfterMs: 5_000 });
});

it('shows the token to nobody', async () => {
  const stranger = new AdminClient({ consoleUrl: 'http://127.0.0.1:9', adminToken });
  const error: unknown = await stranger.call('listAgents', {}).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Error);
  expect(inspect([stranger, error], { depth: null })).not.toContain(adminToken);
});
