import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Queue } from 'bullmq';
import type { FastifyPluginCallback } from 'fastify';

/** Bull Board over the given queues. It has no sign-in of its own: register it behind one. */
export function createBoard(queues: Queue[], writable: boolean): FastifyPluginCallback<{ prefix: string }> {
  const server = new FastifyAdapter();
  server.setBasePath('/board');
  createBullBoard({
    queues: queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: !writable })),
    serverAdapter: server,
    options: { uiConfig: { boardTitle: 'Connectors' } },
  });
  return server.registerPlugin();
}
