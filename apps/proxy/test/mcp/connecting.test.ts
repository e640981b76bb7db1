import {
  Client as NewerClient,
  StreamableHTTPClientTransport as NewerTransport,
} from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { UrlElicitationRequiredError } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { bearer, call, problemOf } from '../call.ts';
import { startSystem, type System } from '../start-system.ts';
import { messageOf, post, request } from './messages.ts';

let system: System;
let tenant: string;
let key: string;
let connectUrl: string;
let count = 0;

beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.close());

// Each test has a tenant of its own that has connected nothing.
beforeEach(async () => {
  tenant = `tenant-${(count += 1)}`;
  connectUrl = `http://console.test/connect/${tenant}/demo`;
  ({ key } = await system.createAgent({ tenants: [tenant] }));
});

async function disconnect(): Promise<void> {
  await system.admin.deleteCredentials(tenant, 'demo');
  await system.publish({ type: 'credential-deleted', tenantId: tenant, integration: 'demo', revision: 'x' });
}

const address = () => new URL(`${system.url}/mcp/demo`);
const requestInit = () => ({ headers: bearer(key) });

async function connectNewer(client: NewerClient): Promise<NewerClient> {
  await client.connect(new NewerTransport(address(), { requestInit: requestInit() }));
  onTestFinished(() => client.close());
  return client;
}

function newer(capabilities: object = {}): NewerClient {
  return new NewerClient(
    { name: 'a-test', version: '1.0.0' },
    { capabilities, versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
}

test('a client of the 1.x SDK is handed the link when it connects', async () => {
  const client = new Client({ name: 'a-test', version: '1.0.0' });
  const connecting = client.connect(
    new StreamableHTTPClientTransport(address(), { requestInit: requestInit() }),
  );
  const error = await connecting.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UrlElicitationRequiredError);
  expect((error as UrlElicitationRequiredError).elicitations).toMatchObject([
    { mode: 'url', url: connectUrl },
  ]);
});

test('and when its credential goes within a session', async () => {
  await system.connect(tenant);
  const client = new Client({ name: 'a-test', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(address(), { requestInit: requestInit() }));
  onTestFinished(() => client.close());
  await disconnect();
  await expect
    .poll(() => client.callTool({ name: 'whoami' }).catch((error: unknown) => error))
    .toBeInstanceOf(UrlElicitationRequiredError);
});

test('a client of the 2.x SDK shows its user the link and carries on', async () => {
  await system.connect(tenant);
  const client = newer({ elicitation: { url: {} } });
  const shown: unknown[] = [];
  client.setRequestHandler('elicitation/create', async ({ params }) => {
    shown.push(params);
    await system.connect(tenant);
    await system.publish({ type: 'credential-stored', tenantId: tenant, integration: 'demo', revision: 'x' });
    return { action: 'accept' as const };
  });
  await connectNewer(client);
  await disconnect();
  await expect
    .poll(async () => {
      const { content } = await client.callTool({ name: 'add', arguments: { a: 1, b: 1 } });
      return [content, shown.length];
    })
    .toEqual([[{ type: 'text', text: '2' }], 1]);
  expect(shown).toMatchObject([{ mode: 'url', url: connectUrl }]);
});

test('a client of the 2.x SDK that cannot show links is told the link in the error', async () => {
  await system.connect(tenant);
  const client = await connectNewer(newer());
  await disconnect();
  await expect
    .poll(() => client.callTool({ name: 'whoami' }).catch((error: Error) => error.message))
    .toContain(connectUrl);
});

test('a client that looks for the era first ends up with the link as well', async () => {
  const client = new NewerClient(
    { name: 'a-test', version: '1.0.0' },
    { versionNegotiation: { mode: 'auto' } },
  );
  await expect(connectNewer(client)).rejects.toThrow(connectUrl);
});

test('an answer in the protocol’s way still says what failed', async () => {
  const answer = await post(system.url, request('tools/list'), { key });
  expect([answer.status, answer.headers['connectors-error']]).toEqual([200, 'credential_not_found']);
  expect(messageOf(answer)).toMatchObject({ id: 1, error: { code: -32_042 } });
});

test.each([
  ['a notification', { jsonrpc: '2.0', method: 'notifications/initialized' }],
  ['a batch', [request('tools/list')]],
  ['what is no JSON', '{'],
  [
    'a body that is too large to be looked at',
    JSON.stringify(request('tools/call', { a: 'x'.repeat(2 ** 20) })),
  ],
])('%s is told so as elsewhere', async (_, message) => {
  const answer = await post(system.url, message, { key });
  expect([answer.status, problemOf(answer).connectUrl]).toEqual([424, connectUrl]);
});

test('so is who opens a stream', async () => {
  const answer = await call(system.url, '/mcp/demo', { headers: bearer(key) });
  expect([answer.status, problemOf(answer).code]).toEqual([424, 'credential_not_found']);
});
