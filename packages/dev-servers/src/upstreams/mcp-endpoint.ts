import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { localhostOriginValidation, toNodeHandler } from '@modelcontextprotocol/node';
import {
  createMcpHandler,
  isInitializeRequest,
  isLegacyRequest,
  WebStandardStreamableHTTPServerTransport,
  type AuthInfo,
  type McpServer,
} from '@modelcontextprotocol/server';
import { createEventStore } from './mcp-event-store.ts';

/** What a server can tell all its clients of the newer era, whichever stream they listen on. */
export type McpAnnouncements = ReturnType<typeof createMcpHandler>['notify'];

/** Makes the server for one request or one session. */
export type CreateMcpServer = (announcements: McpAnnouncements) => McpServer;

export interface McpEndpoint {
  handle(request: IncomingMessage & { auth?: AuthInfo }, response: ServerResponse): Promise<void>;
  close(): Promise<void>;
}

interface Session {
  transport: WebStandardStreamableHTTPServerTransport;
  account: unknown;
}

/** Refuses what a page of another origin sends. */
const isLocal = localhostOriginValidation();

/** Asks clients to come back soon when a stream was cut. */
const retryMs = 50;

/**
 * One address for both eras of streamable HTTP. Up to 2025-11-25 it keeps sessions whose streams can be resumed, and
 * answers a lone POST without a session too; from 2026-07-28 on every POST stands for itself.
 */
export function createMcpEndpoint(createServer: CreateMcpServer): McpEndpoint {
  const sessions = new Map<string, Session>();
  const modern = createMcpHandler(() => createServer(modern.notify), { legacy: 'reject' });
  const handle = toNodeHandler({
    fetch: async (request, options = {}) =>
      (await isLegacyRequest(request))
        ? answerLegacy(sessions, () => createServer(modern.notify), request, options.authInfo)
        : modern.fetch(request, options),
  });
  return {
    handle: async (request, response) => {
      // Its types do not allow for a method that is undefined, as Node's do.
      if (isLocal(request, response)) await handle(request as never, response);
    },
    close: async () => {
      await modern.close();
      for (const { transport } of sessions.values()) await transport.close();
    },
  };
}

async function answerLegacy(
  sessions: Map<string, Session>,
  createServer: () => McpServer,
  request: Request,
  authInfo: AuthInfo | undefined,
): Promise<Response> {
  const options = authInfo === undefined ? {} : { authInfo };
  const account = authInfo?.extra?.['account'];
  const sessionId = request.headers.get('mcp-session-id');
  if (sessionId !== null) {
    const session = sessions.get(sessionId);
    if (session?.account === account && session) return session.transport.handleRequest(request, options);
    return rpcError(404, -32_001, 'Session not found');
  }
  if (request.method !== 'POST') return rpcError(405, -32_000, 'A session is needed for this');

  const parsedBody = await request.json().catch(() => undefined);
  if (parsedBody === undefined) return rpcError(400, -32_700, 'Parse error: Invalid JSON');
  const isStart = isInitializeRequest(parsedBody);
  const streams = request.headers.get('accept')?.includes('text/event-stream') ?? false;
  const transport = isStart ? sessionTransport(sessions, account) : loneTransport(streams);
  await createServer().connect(transport);
  // The SDK refuses curl's "*/*": who does not name both content types gets plain JSON.
  const headers = new Headers(request.headers);
  if (!streams && !isStart) headers.set('accept', 'application/json, text/event-stream');
  const { url, method, signal } = request;
  return transport.handleRequest(new Request(url, { method, headers, signal }), { ...options, parsedBody });
}

function sessionTransport(
  sessions: Map<string, Session>,
  account: unknown,
): WebStandardStreamableHTTPServerTransport {
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    eventStore: createEventStore(),
    retryInterval: retryMs,
    onsessioninitialized: (id) => void sessions.set(id, { transport, account }),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  return transport;
}

function loneTransport(streams: boolean): WebStandardStreamableHTTPServerTransport {
  return new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: !streams });
}

function rpcError(status: number, code: number, message: string): Response {
  return Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status });
}
