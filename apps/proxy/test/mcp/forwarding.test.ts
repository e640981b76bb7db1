import { fingerprint } from '@connectors/dev-servers';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bearer, call } from '../call.ts';
import { startSystem, type System } from '../start-system.ts';

let system: System;
let key: string;
let accessToken: string;

beforeAll(async () => {
  system = await startSystem();
  ({ accessToken } = await system.connect('acme'));
  ({ key } = await system.createAgent({ tenants: ['acme'] }));
});
afterAll(() => system.close());

async function withClient<T>(use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ name: 'a-test', version: '1.0.0' });
  const url = new URL(`${system.url}/mcp/demo`);
  const transport = new StreamableHTTPClientTransport(url, { requestInit: { headers: bearer(key) } });
  await client.connect(transport);
  try {
    return await use(client);
  } finally {
    await transport.terminateSession();
    await client.close();
  }
}

test('an MCP client lists tools and calls one as the tenant’s account', async () => {
  await withClient(async (client) => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain('whoami');
    const { structuredContent } = await client.callTool({ name: 'whoami' });
    expect(structuredContent).toEqual({ account: 'acme-user', tokenFingerprint: fingerprint(accessToken) });
  });
});

test('an MCP client sees progress while a tool runs', async () => {
  await withClient(async (client) => {
    const steps: number[] = [];
    await client.callTool({ name: 'countdown', arguments: { from: 3, intervalMs: 1 } }, undefined, {
      onprogress: ({ progress }) => steps.push(progress),
    });
    expect(steps).toEqual([1, 2, 3]);
  });
});

test('a lone POST calls a tool', async () => {
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami', arguments: {} } };
  const headers = { ...bearer(key), 'content-type': 'application/json' };
  const answer = await call(system.url, '/mcp/demo', {
    method: 'POST',
    headers,
    body: JSON.stringify(message),
  });
  expect(JSON.parse(answer.text)).toMatchObject({
    id: 1,
    result: { structuredContent: { account: 'acme-user', tokenFingerprint: fingerprint(accessToken) } },
  });
});
