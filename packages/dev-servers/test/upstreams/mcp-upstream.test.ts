import {
  Client as NewerClient,
  StreamableHTTPClientTransport as NewerTransport,
} from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { expect, onTestFinished, test, vi } from 'vitest';
import { fingerprint } from '../../src/fingerprint.ts';
import { grant, refresh } from '../authorization-server/client.ts';
import { bearer, startMcp } from './start-upstreams.ts';

test('serves its tools, resource and prompt to an MCP client', async () => {
  const { upstream, tokens } = await startMcp();
  const { client } = await connect(upstream.url, () => tokens.access_token);
  const { tools } = await client.listTools();
  expect(tools.map((tool) => tool.name)).toEqual(['whoami', 'add', 'countdown']);
  expect(await client.callTool({ name: 'add', arguments: { a: 2, b: 3 } })).toMatchObject({
    content: [{ type: 'text', text: '5' }],
  });
  const { contents } = await client.readResource({ uri: 'demo://about' });
  expect(contents).toHaveLength(1);
  const prompt = await client.getPrompt({ name: 'greet', arguments: { name: 'Ann' } });
  expect(JSON.stringify(prompt)).toContain('greet Ann');
});

test('reports progress while a call runs', async () => {
  const { upstream, tokens } = await startMcp();
  const { client } = await connect(upstream.url, () => tokens.access_token);
  const progress: number[] = [];
  await client.callTool({ name: 'countdown', arguments: { from: 3, intervalMs: 10 } }, undefined, {
    onprogress: (step) => progress.push(step.progress),
  });
  expect(progress).toEqual([1, 2, 3]);
});

test('names the token of the call at hand, also when it changed within a session', async () => {
  const { upstream, authorizationServer, tokens } = await startMcp();
  let token = tokens.access_token;
  const { client } = await connect(upstream.url, () => token);
  const before = await client.callTool({ name: 'whoami' });
  expect(before.structuredContent).toEqual({ account: 'ann', tokenFingerprint: fingerprint(token) });
  const renewed = (await (await refresh(authorizationServer, tokens.refresh_token)).json()) as {
    access_token: string;
  };
  token = renewed.access_token;
  const after = await client.callTool({ name: 'whoami' });
  expect(after.structuredContent).toEqual({ account: 'ann', tokenFingerprint: fingerprint(token) });
});

test('keeps a session from everyone but its account, and ends it on request', async () => {
  const { upstream, authorizationServer, tokens } = await startMcp();
  const { client, transport } = await connect(upstream.url, () => tokens.access_token);
  const session = { 'mcp-session-id': transport.sessionId! };
  const other = await grant(authorizationServer, { login: 'ben' });
  expect((await post(upstream.url, listTools, { ...bearer(other.access_token), ...session })).status).toBe(
    404,
  );
  expect((await post(upstream.url, listTools, { ...bearer(tokens.access_token), ...session })).status).toBe(
    200,
  );
  await transport.terminateSession();
  expect((await post(upstream.url, listTools, { ...bearer(tokens.access_token), ...session })).status).toBe(
    404,
  );
  await client.close();
});

test('answers a lone POST with plain JSON, whatever it accepts', async () => {
  const { upstream, tokens } = await startMcp();
  const call = {
    jsonrpc: '2.0',
    id: 7,
    method: 'tools/call',
    params: { name: 'add', arguments: { a: 1, b: 1 } },
  };
  for (const accept of ['*/*', 'application/json']) {
    const response = await post(upstream.url, call, { ...bearer(tokens.access_token), accept });
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(response.headers.has('mcp-session-id')).toBe(false);
    expect(await response.json()).toMatchObject({ id: 7, result: { content: [{ text: '2' }] } });
  }
});

test('answers a lone POST as a stream to a client that accepts one', async () => {
  const { upstream, tokens } = await startMcp();
  const headers = { ...bearer(tokens.access_token), accept: 'application/json, text/event-stream' };
  const response = await post(upstream.url, listTools, headers);
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  expect(await response.text()).toContain('"whoami"');
});

test('serves a client of the newer era without a session', async () => {
  const { upstream, tokens } = await startMcp();
  const transport = new NewerTransport(new URL(`${upstream.url}/mcp`), {
    requestInit: { headers: bearer(tokens.access_token) },
  });
  const client = new NewerClient(
    { name: 'test', version: '1.0.0' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  await client.connect(transport);
  onTestFinished(() => client.close());
  const progress: number[] = [];
  await client.callTool(
    { name: 'countdown', arguments: { from: 2, intervalMs: 1 } },
    { onprogress: (step) => void progress.push(step.progress) },
  );
  expect(progress).toEqual([1, 2]);
  expect(transport.sessionId).toBeUndefined();
});

test('goes on with a stream after the last event that a client saw', async () => {
  const { upstream, tokens } = await startMcp();
  const { client, transport } = await connect(upstream.url, () => tokens.access_token);
  const headers = {
    ...bearer(tokens.access_token),
    'mcp-session-id': transport.sessionId!,
    'mcp-protocol-version': '2025-11-25',
  };
  const call = {
    jsonrpc: '2.0',
    id: 9,
    method: 'tools/call',
    params: { name: 'add', arguments: { a: 1, b: 1 } },
  };
  const [primed = ''] = (await (await post(upstream.url, call, headers)).text()).split('\n\n');
  const [, id = ''] = /^id: (.+)$/m.exec(primed) ?? [];
  const resumed = await fetch(`${upstream.url}/mcp`, {
    headers: { ...headers, accept: 'text/event-stream', 'last-event-id': id },
  });
  const reader = resumed.body!.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await reader.read();
  expect(value).toContain('"text":"2"');
  await reader.cancel();
  await client.close();
});

test('challenges requests without a valid token, within a session too', async () => {
  const { upstream, authorizationServer, tokens } = await startMcp();
  const { transport } = await connect(upstream.url, () => tokens.access_token);
  expect((await post(upstream.url, listTools, {})).status).toBe(401);
  await authorizationServer.revokeAccessToken(tokens.access_token);
  const session = { 'mcp-session-id': transport.sessionId! };
  await vi.waitFor(async () => {
    const response = await post(upstream.url, listTools, { ...bearer(tokens.access_token), ...session });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
  }, 10_000);
});

test('refuses what is not JSON, other paths, and a stream without a session', async () => {
  const { upstream, tokens } = await startMcp();
  const headers = bearer(tokens.access_token);
  const bad = await fetch(`${upstream.url}/mcp`, { method: 'POST', headers, body: '{' });
  expect([bad.status, await bad.json()]).toMatchObject([400, { error: { code: -32_700 } }]);
  expect((await fetch(`${upstream.url}/elsewhere`, { headers })).status).toBe(404);
  expect((await fetch(`${upstream.url}/mcp`, { headers })).status).toBe(405);
});

const listTools = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

async function post(url: string, message: unknown, headers: Record<string, string>): Promise<Response> {
  return await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify(message),
  });
}

async function connect(url: string, token: () => string) {
  const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
    fetch: (input, init) => {
      const headers = new Headers(init?.headers);
      headers.set('authorization', `Bearer ${token()}`);
      return fetch(input, { ...init, headers });
    },
  });
  const client = new Client({ name: 'test', version: '1.0.0' });
  await client.connect(transport);
  onTestFinished(() => client.close());
  return { client, transport };
}
