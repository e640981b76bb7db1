import { setTimeout as delay } from 'node:timers/promises';
import type { McpAnnouncements } from '@connectors/dev-servers';
import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { text } from './answers.ts';

const stepMs = 20;
const inputSchema = z.object({});

/** Tools that say something before they answer, or on another stream. */
export function addStreams(server: McpServer, announcements: McpAnnouncements): void {
  addNotifications(server);
  server.registerTool(
    'test_reconnection',
    { description: 'Cuts its stream, and answers on the next', inputSchema },
    async (_, { http }) => {
      http?.closeSSE?.();
      await delay(100);
      return text('Reconnected.');
    },
  );
  const announce = (name: string, change: () => void) =>
    server.registerTool(name, { description: 'Announces a change', inputSchema }, () => {
      change();
      return text('Announced.');
    });
  announce('test_trigger_tool_change', () => announcements.toolsChanged());
  announce('test_trigger_prompt_change', () => announcements.promptsChanged());
}

function addNotifications(server: McpServer): void {
  server.registerTool(
    'test_tool_with_logging',
    { description: 'Logs what it does', inputSchema },
    async (_, { mcpReq }) => {
      for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
        await mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data } });
        await delay(stepMs);
      }
      return text('Tool with logging executed successfully');
    },
  );
  server.registerTool(
    'test_tool_with_progress',
    { description: 'Reports progress', inputSchema },
    async (_, { mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken;
      for (const progress of progressToken === undefined ? [] : [0, 50, 100]) {
        const params = { progressToken, progress, total: 100 };
        await mcpReq.notify({ method: 'notifications/progress', params });
        await delay(stepMs);
      }
      return text(String(progressToken));
    },
  );
  server.registerTool('test_logging_tool', { description: 'Logs if asked to', inputSchema }, async (_, c) => {
    await c.mcpReq.log('info', 'Only for who asked for it');
    return text('Logged.');
  });
}
