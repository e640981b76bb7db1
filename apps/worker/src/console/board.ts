import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Queue } from 'bullmq';
import type { FastifyInstance } from 'fastify';

/** Serves Bull Board over the given queues at `/board`. It has no sign-in of its own: register it behind one. */
export async function registerBoard(app: FastifyInstance, queues: Queue[], writable: boolean): Promise<void> {
  const server = new FastifyAdapter();
  server.setBasePath('/board');
  createBullBoard({
    queues: queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: !writable })),
    serverAdapter: server,
    options: {
      uiConfig: {
        boardTitle: 'Connectors',
        hideDocsLink: true,
        miscLinks: [
          { text: 'Overview', url: '/' },
          { text: 'Sign out', url: '/sign-out' },
        ],
      },
    },
  });
  app.addHook('onSend', async (_request, _reply, payload) =>
    typeof payload === 'string' ? payload.replace(foreignFont, '') : payload,
  );
  await app.register(server.registerPlugin(), { prefix: '/board' });
}

/** The page asks Google for a font. Nobody else is to learn when an operator looks. */
const foreignFont = /<link href="https:\/\/fonts\.googleapis\.com[^>]*>/;
