import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { AuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js';
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import { createMcpServer } from './mcp-tools.ts';
import { sendJson, startProtectedServer } from './protected-server.ts';
import type { ProtectedServer, UpstreamOptions } from './protected-server.ts';
import type { Caller } from './token-check.ts';

interface Session {
  transport: StreamableHTTPServerTransport;
  account: string;
}

/**
 * Starts an MCP server (streamable HTTP, at `/mcp`) that demands a bearer token. It keeps sessions, and answers
 * a lone POST without a session too, so that one line of curl can call a tool.
 */
export async function startMcpUpstream(options: UpstreamOptions): Promise<ProtectedServer> {
  const sessions = new Map<string, Session>();
  const server = await startProtectedServer(options, 'the MCP upstream', (request, response, caller) =>
    answer(sessions, request, response, caller),
  );
  return {
    ...server,
    close: async () => {
      for (const { transport } of sessions.values()) await transport.close();
      await server.close();
    },
  };
}

async function answer(
  sessions: Map<string, Session>,
  request: IncomingMessage & { auth?: AuthInfo },
  response: ServerResponse,
  caller: Caller,
): Promise<void> {
  if (request.url?.split('?')[0] !== '/mcp') return sendJson(response, 404, { error: 'not_found' });
  request.auth = toAuthInfo(caller);
  const sessionId = request.headers['mcp-session-id'];
  if (sessionId !== undefined) {
    const session = sessions.get(String(sessionId));
    if (session?.account === caller.account) return await session.transport.handleRequest(request, response);
    return sendRpcError(response, 404, -32_001, 'Session not found');
  }
  if (request.method !== 'POST') return sendRpcError(response, 405, -32_000, 'A session is needed for this');

  const message = parseJson(await text(request));
  if (message === undefined) return sendRpcError(response, 400, -32_700, 'Parse error: Invalid JSON');
  const transport = isInitializeRequest(message)
    ? sessionTransport(sessions, caller)
    : loneTransport(request, response);
  await createMcpServer().connect(transport);
  await transport.handleRequest(request, response, message);
}

function sessionTransport(sessions: Map<string, Session>, caller: Caller): StreamableHTTPServerTransport {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => void sessions.set(id, { transport, account: caller.account }),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  return transport;
}

function loneTransport(request: IncomingMessage, response: ServerResponse): StreamableHTTPServerTransport {
  const streams = request.headers.accept?.includes('text/event-stream') ?? false;
  // The SDK refuses curl's "*/*": who does not name both content types gets plain JSON.
  if (!streams) request.headers.accept = 'application/json, text/event-stream';
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: !streams });
  response.once('close', () => void transport.close());
  return transport;
}

function toAuthInfo({ account, clientId, scopes, tokenFingerprint }: Caller): AuthInfo {
  return { token: '', clientId, scopes, extra: { account, tokenFingerprint } };
}

function sendRpcError(response: ServerResponse, status: number, code: number, message: string): void {
  sendJson(response, status, { jsonrpc: '2.0', error: { code, message }, id: null });
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
