import {
  Client as NewerClient,
  StreamableHTTPClientTransport as NewerTransport,
  type VersionNegotiationMode,
} from '@modelcontextprotocol/client';
import { createMcpServer, fingerprint } from '@connectors/dev-servers';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { bearer } from '../call.ts';
import { startSystem, type System } from '../start-system.ts';
import { post, request } from './messages.ts';

let system: System;
let key: string;
let accessToken: string;
/** Calls of the tool `wait` that run, and that were cancelled. */
const waiting = { started: 0, cancelled: 0 };

beforeAll(async () => {
  system = await startSystem({
    createMcpServer: (announcements) => {
      const server = createMcpServer();
      server.registerTool('announce', { description: 'Says that there are other tools' }, () => {
        announcements.toolsChanged();
        return { content: [] };
      });
      server.registerTool('wait', { description: 'Until it is cancelled' }, ({ mcpReq: { signal } }) => {
        waiting.started += 1;
        const { promise, resolve } = Promise.withResolvers<{ content: [] }>();
        signal.addEventListener('abort', () => {
          waiting.cancelled += 1;
          resolve({ content: [] });
        });
        return promise;
      });
      return server;
    },
  });
  ({ accessToken } = await system.connect('acme'));
  ({ key } = await system.createAgent({ tenants: ['acme'] }));
});
afterAll(() => system.close());

interface CallOptions {
  onprogress?: (step: { progress: number }) => void;
  signal?: AbortSignal;
}

/** What the tests need of a client, whichever it is. */
interface Agent {
  list: () => Promise<string[]>;
  call: (name: string, args: Record<string, unknown>, options?: CallOptions) => Promise<object>;
}

type Connect = (fetch: typeof globalThis.fetch) => Promise<Agent>;

const info = { name: 'a-test', version: '1.0.0' };
const address = () => new URL(`${system.url}/mcp/demo`);

const older: Connect = async (fetch) => {
  const client = new Client(info);
  await client.connect(
    new StreamableHTTPClientTransport(address(), { requestInit: { headers: bearer(key) }, fetch }),
  );
  onTestFinished(() => client.close());
  return {
    list: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: (name, args, options) => client.callTool({ name, arguments: args }, undefined, options),
  };
};

const newer =
  (mode: VersionNegotiationMode): Connect =>
  async (fetch) => {
    const client = new NewerClient(info, { versionNegotiation: { mode } });
    await client.connect(new NewerTransport(address(), { requestInit: { headers: bearer(key) }, fetch }));
    onTestFinished(() => client.close());
    return {
      list: async () => (await client.listTools()).tools.map(({ name }) => name),
      call: (name, args, options) => client.callTool({ name, arguments: args }, options),
    };
  };

const clients: [string, Connect][] = [
  ['the 1.x SDK', older],
  ['the 2.x SDK by 2025-11-25', newer('legacy')],
  ['the 2.x SDK by 2026-07-28', newer({ pin: '2026-07-28' })],
  ['the 2.x SDK that finds out the era', newer('auto')],
];

describe.each(clients)('a client of %s', (_, connect) => {
  test('lists tools and calls one as the tenant’s account', async () => {
    const client = await connect(fetch);
    expect(await client.list()).toContain('whoami');
    expect(await client.call('whoami', {})).toMatchObject({
      structuredContent: { account: 'acme-user', tokenFingerprint: fingerprint(accessToken) },
    });
  });

  test('sees progress while a tool runs', async () => {
    const client = await connect(fetch);
    const steps: number[] = [];
    const onprogress = ({ progress }: { progress: number }) => void steps.push(progress);
    await client.call('countdown', { from: 3, intervalMs: 1 }, { onprogress });
    expect(steps).toEqual([1, 2, 3]);
  });

  test('cancels a call at the upstream', async () => {
    const client = await connect(fetch);
    const before = { ...waiting };
    const abort = new AbortController();
    const call = client.call('wait', {}, { signal: abort.signal }).catch((error: unknown) => error);
    await vi.waitUntil(() => waiting.started > before.started);
    abort.abort();
    expect(await call).toBeInstanceOf(Error);
    await vi.waitUntil(() => waiting.cancelled > before.cancelled);
  });
});

describe.each(clients.slice(0, 2))('a client of %s', (_, connect) => {
  test('goes on with a stream that was cut', async () => {
    const cut = cutFirstCall();
    const client = await connect(cut.fetch);
    const steps: number[] = [];
    const onprogress = ({ progress }: { progress: number }) => void steps.push(progress);
    expect(await client.call('countdown', { from: 3, intervalMs: 100 }, { onprogress })).toMatchObject({
      content: [{ text: 'Lift-off' }],
    });
    expect([steps, cut.count]).toEqual([[1, 2, 3], 1]);
    expect(cut.resumed).toBeGreaterThan(0);
  });
});

test('a client of the 2.x SDK hears of changes on a stream that stays open', async () => {
  const heard: unknown[] = [];
  const client = new NewerClient(info, {
    versionNegotiation: { mode: { pin: '2026-07-28' } },
    listChanged: { tools: { autoRefresh: false, onChanged: (error) => void heard.push(error) } },
  });
  await client.connect(new NewerTransport(address(), { requestInit: { headers: bearer(key) } }));
  onTestFinished(() => client.close());
  await client.callTool({ name: 'announce' });
  await expect.poll(() => heard).toEqual([null]);
});

test('one line of curl calls a tool', async () => {
  const headers = { accept: '*/*' };
  const answer = await post(system.url, request('tools/call', { name: 'whoami' }), { key, headers });
  expect(JSON.parse(answer.text)).toMatchObject({
    id: 1,
    result: { structuredContent: { account: 'acme-user', tokenFingerprint: fingerprint(accessToken) } },
  });
});

/** Ends the first stream that answers a tool call after its first event, as a network that fails. */
function cutFirstCall() {
  const state = { count: 0, resumed: 0, fetch: passing };
  async function passing(input: Parameters<typeof fetch>[0], init?: RequestInit): Promise<Response> {
    if (new Headers(init?.headers).has('last-event-id')) state.resumed += 1;
    const isCall = typeof init?.body === 'string' && init.body.includes('tools/call');
    if (!isCall || state.count > 0) return fetch(input, init);
    state.count += 1;
    const abort = new AbortController();
    const response = await fetch(input, { ...init, signal: abort.signal });
    const { value } = await response.body!.getReader().read();
    abort.abort();
    return new Response(value, response);
  }
  return state;
}
