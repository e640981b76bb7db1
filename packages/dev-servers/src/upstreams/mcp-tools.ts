import { setTimeout as delay } from 'node:timers/promises';
import { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** An MCP server with three tools, a resource and a prompt. */
export function createMcpServer(): McpServer {
  const server = new McpServer({ name: 'connectors-demo', version: '1.0.0' });
  addWhoami(server);
  addAdd(server);
  addCountdown(server);
  server.registerResource(
    'about',
    'demo://about',
    { description: 'What this server is', mimeType: 'text/plain' },
    (uri) => ({
      contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'An MCP server to try things on.' }],
    }),
  );
  server.registerPrompt(
    'greet',
    { description: 'Greets somebody', argsSchema: z.object({ name: z.string() }) },
    ({ name }) => ({
      messages: [{ role: 'user', content: { type: 'text', text: `Please greet ${name}.` } }],
    }),
  );
  return server;
}

function addWhoami(server: McpServer): void {
  server.registerTool(
    'whoami',
    {
      description: 'Names the account the access token stands for, and a fingerprint of the token',
      outputSchema: z.object({ account: z.string(), tokenFingerprint: z.string() }),
    },
    ({ http }) => {
      const who = {
        account: String(http?.authInfo?.extra?.['account']),
        tokenFingerprint: String(http?.authInfo?.extra?.['tokenFingerprint']),
      };
      return { structuredContent: who, content: [{ type: 'text', text: JSON.stringify(who) }] };
    },
  );
}

function addAdd(server: McpServer): void {
  server.registerTool(
    'add',
    { description: 'Adds two numbers', inputSchema: z.object({ a: z.number(), b: z.number() }) },
    ({ a, b }) => ({ content: [{ type: 'text', text: String(a + b) }] }),
  );
}

function addCountdown(server: McpServer): void {
  server.registerTool(
    'countdown',
    {
      description: 'Counts down to zero and reports each step as progress',
      inputSchema: z.object({
        from: z.number().int().min(1).max(1000).default(3),
        intervalMs: z.number().int().min(0).max(60_000).default(100),
      }),
    },
    async ({ from, intervalMs }, { mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken;
      for (let left = from - 1; left >= 0; left--) {
        await delay(intervalMs, undefined, { signal: mcpReq.signal, ref: false });
        if (progressToken === undefined) continue;
        await mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken, progress: from - left, total: from, message: `${left}` },
        });
      }
      return { content: [{ type: 'text', text: 'Lift-off' }] };
    },
  );
}
