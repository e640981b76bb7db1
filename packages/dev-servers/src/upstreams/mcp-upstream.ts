import type { IncomingMessage } from 'node:http';
import type { AuthInfo } from '@modelcontextprotocol/server';
import { createMcpEndpoint, type CreateMcpServer } from './mcp-endpoint.ts';
import { createMcpServer } from './mcp-tools.ts';
import { sendJson, startProtectedServer } from './protected-server.ts';
import type { ProtectedServer, UpstreamOptions } from './protected-server.ts';
import type { Caller } from './token-check.ts';

export interface McpUpstreamOptions extends UpstreamOptions {
  /** What it serves; a few tools to try things on if left out. */
  createServer?: CreateMcpServer;
}

/** Starts an MCP server (streamable HTTP of both eras, at `/mcp`) that demands a bearer token. */
export async function startMcpUpstream(options: McpUpstreamOptions): Promise<ProtectedServer> {
  const endpoint = createMcpEndpoint(options.createServer ?? createMcpServer);
  const server = await startProtectedServer(
    options,
    'the MCP upstream',
    async (request: IncomingMessage & { auth?: AuthInfo }, response, caller) => {
      if (request.url?.split('?')[0] !== '/mcp') return sendJson(response, 404, { error: 'not_found' });
      request.auth = toAuthInfo(caller);
      await endpoint.handle(request, response);
    },
  );
  return {
    ...server,
    close: async () => {
      await endpoint.close();
      await server.close();
    },
  };
}

function toAuthInfo({ account, clientId, scopes, tokenFingerprint }: Caller): AuthInfo {
  return { token: '', clientId, scopes, extra: { account, tokenFingerprint } };
}
