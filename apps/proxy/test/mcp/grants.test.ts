import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { bearer, call, problemOf } from '../call.ts';
import { startSystem, type System } from '../start-system.ts';
import { startUpstream } from '../start-upstream.ts';
import { initialize, post, request, statelessHeaders, statelessRequest } from './messages.ts';

let system: System;
let bare: Awaited<ReturnType<typeof startUpstream>>;
/** May call the tools whose names begin with `read_`, and `add`. */
let key: string;
/** What the bare upstream received. */
let received: { request: IncomingMessage; body: Buffer }[];

beforeAll(async () => {
  bare = await startUpstream();
  system = await startSystem({ entries: { bare: { upstream: { mcp: bare.url } } } });
  await system.connect('acme');
  await system.connect('acme', 'bare');
  ({ key } = await system.createAgent({ tenants: ['acme'], mcp: { tools: ['read_*', 'add'] } }));
});
afterAll(async () => {
  await system.close();
  await bare.close();
});

beforeEach(() => {
  received = [];
  bare.handle = (incoming, response) => {
    void buffer(incoming).then((body) => {
      received.push({ request: incoming, body });
      response.setHeader('content-type', 'application/json').end('{}');
    });
  };
});

const callTool = (name: string) => request('tools/call', { name, arguments: {} });
const send = (message: unknown, headers: Record<string, string> = {}) =>
  post(system.url, message, { key, integration: 'bare', headers });

test('an SDK client lists tools, calls one that is granted, and is told of one that is not', async () => {
  const client = new Client({ name: 'a-test', version: '1.0.0' });
  const url = new URL(`${system.url}/mcp/demo`);
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers: bearer(key) } }));
  onTestFinished(() => client.close());
  expect((await client.listTools()).tools).toHaveLength(3);
  expect(await client.callTool({ name: 'add', arguments: { a: 1, b: 2 } })).toMatchObject({
    content: [{ text: '3' }],
  });
  await expect(client.callTool({ name: 'whoami' })).rejects.toThrow(
    'The agent has no grant for the tool whoami of demo for acme',
  );
});

test('the refusal says which grant is missing, and the upstream is not asked', async () => {
  const answer = await send(callTool('write_file'));
  const missingGrant = { tenant: 'acme', integration: 'bare', mcpMethod: 'tools/call', tool: 'write_file' };
  expect([answer.status, problemOf(answer)]).toMatchObject([403, { code: 'agent_forbidden', missingGrant }]);
  const other = await send(request('resources/list'));
  expect([other.status, problemOf(other).missingGrant]).toEqual([
    403,
    { tenant: 'acme', integration: 'bare', mcpMethod: 'resources/list' },
  ]);
  expect(received).toEqual([]);
});

test.each([
  ['to start', initialize()],
  ['to be there', request('ping')],
  ['to look what is offered', statelessRequest('server/discover')],
  ['a notification', { jsonrpc: '2.0', method: 'notifications/initialized' }],
  ['an answer to what the server asked', { jsonrpc: '2.0', id: 1, result: {} }],
  ['to list tools', request('tools/list')],
  ['a tool by its beginning', callTool('read_file')],
  ['several of these at once', [callTool('add'), request('ping')]],
])('a grant of tools allows %s', async (_, message) => {
  expect((await send(message)).status).toBe(200);
  expect(received).toHaveLength(1);
});

test.each(['prompts/get', 'resources/read', 'completion/complete', 'logging/setLevel', 'tools/callx'])(
  'and not %s',
  async (method) => {
    expect((await send(request(method, { name: 'add', uri: 'a:b' }))).status).toBe(403);
  },
);

test('of a batch every message must be granted', async () => {
  const answer = await send([callTool('add'), callTool('write_file')]);
  expect([answer.status, received.length]).toEqual([403, 0]);
});

test('what was read is sent on byte for byte', async () => {
  const text =
    ' {"id" : 12345678901234567890,\n"jsonrpc":"2.0","method":"tools\\/call","params":{"name":"add","arguments":{"n":1.0e2}}}';
  expect((await send(text)).status).toBe(200);
  expect(received[0]?.body.toString()).toBe(text);
  expect(received[0]?.request.headers['content-length']).toBe(String(text.length));
});

test('a message that could be read in two ways is refused', async () => {
  const text = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","name":"write_file"}}';
  const answer = await send(text);
  expect([answer.status, problemOf(answer).code, received.length]).toEqual([400, 'invalid_request', 0]);
  expect(problemOf(answer).detail).toBe(
    "The agent's grants need its MCP messages read: it has a key twice in one object",
  );
});

test.each([
  ['compressed', { 'content-encoding': 'gzip' }, gzipSync(JSON.stringify(callTool('add')))],
  ['in another encoding of text', { 'content-type': 'application/json; charset=utf-16' }, callTool('add')],
  ['as another type', { 'content-type': 'text/plain' }, callTool('add')],
  ['as a form', { 'content-type': 'multipart/form-data; boundary=x' }, callTool('add')],
])('a message %s is refused', async (_, headers: Record<string, string>, message) => {
  const answer = await send(message, headers);
  expect([answer.status, problemOf(answer).code, received.length]).toEqual([400, 'invalid_request', 0]);
});

test.each([
  ['another method', statelessHeaders('tools/list')],
  ['another name', statelessHeaders('tools/call', 'sub')],
])('a header with %s than the message is refused as the protocol has it', async (_, headers) => {
  const answer = await send(statelessRequest('tools/call', { name: 'add' }), headers);
  expect([answer.status, answer.headers['connectors-error'], received.length]).toEqual([
    400,
    'invalid_request',
    0,
  ]);
  expect(JSON.parse(answer.text)).toMatchObject({ id: 1, error: { code: -32_020 } });
});

test('headers that agree with the message pass', async () => {
  const message = statelessRequest('tools/call', { name: 'add' });
  expect((await send(message, statelessHeaders('tools/call', 'add'))).status).toBe(200);
  expect(received[0]?.request.headers).toMatchObject({ 'mcp-method': 'tools/call', 'mcp-name': 'add' });
});

test('two types of content are one too many', async () => {
  const headers = [
    'authorization',
    `Bearer ${key}`,
    'content-type',
    'application/json',
    'content-type',
    'text/plain',
  ];
  const answer = await call(system.url, '/mcp/bare', { method: 'POST', headers, body: '{}' });
  expect([answer.status, received.length]).toEqual([400, 0]);
});

test('a message of more than a megabyte is refused', async () => {
  const answer = await send(request('tools/call', { name: 'add', arguments: 'x'.repeat(2 ** 20) }));
  expect([answer.status, problemOf(answer).code, received.length]).toEqual([413, 'payload_too_large', 0]);
});

test('a stream may be opened, a session may be ended, and nothing else but messages be sent', async () => {
  const status = async (method: string, more = {}) =>
    (await call(system.url, '/mcp/bare', { method, headers: bearer(key), ...more })).status;
  expect([await status('GET'), await status('DELETE')]).toEqual([200, 200]);
  expect([await status('PUT'), await status('OPTIONS'), await status('PATCH', { body: '{}' })]).toEqual([
    403, 403, 403,
  ]);
  const body = JSON.stringify(callTool('write_file'));
  const headers = { ...bearer(key), 'content-length': body.length };
  expect(await status('GET', { headers, body })).toBe(400);
  const below = await post(system.url, callTool('add'), { key, integration: 'bare/messages' });
  expect([below.status, received.length]).toEqual([403, 2]);
});

test('a grant of methods and tools is for both at once', async () => {
  const both = await system.createAgent({
    tenants: ['acme'],
    mcp: { methods: ['tools/call', 'resources/read'], tools: ['add'] },
  });
  const status = async (message: unknown) =>
    (await post(system.url, message, { key: both.key, integration: 'bare' })).status;
  expect(await status(callTool('add'))).toBe(200);
  expect(await status(request('resources/read', { uri: 'file:///a' }))).toBe(200);
  expect(await status(callTool('sub'))).toBe(403);
  expect(await status(request('tools/list'))).toBe(403);
});

test('of an agent that may do everything no body is read', async () => {
  const free = await system.createAgent({ tenants: ['acme'] });
  const answer = await post(system.url, '{"a":1,"a":2', { key: free.key, integration: 'bare' });
  expect([answer.status, received[0]?.body.toString()]).toEqual([200, '{"a":1,"a":2']);
});

test('a message that is read has the same answer when its credential is missing', async () => {
  const { key: lonely } = await system.createAgent({ tenants: ['lonely'], mcp: { tools: ['add'] } });
  const answer = await post(system.url, callTool('add'), { key: lonely });
  expect(JSON.parse(answer.text)).toMatchObject({ id: 1, error: { code: -32_042 } });
});
