import cookie from '@fastify/cookie';
import type { Secret } from '@connectors/vault-core';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Queue } from 'bullmq';
import type { Registry } from 'prom-client';
import { createBoard } from './board.ts';
import { guardConsole } from './guard.ts';
import { AdminSessions } from './session.ts';
import { registerSignIn } from './sign-in.ts';

export interface ConsoleDeps {
  adminToken: Secret;
  /** Where the console is reached, for example `https://console.example.com`. */
  consoleUrl: string;
  /** Off: only health and metrics are served. */
  console: boolean;
  /** Whether jobs may be retried, promoted and removed on the board. */
  boardWritable: boolean;
  boardQueues: Queue[];
  metrics: Registry;
  /** Refreshes the figures that are looked up rather than counted, before each scrape. */
  collect: () => Promise<void>;
  /** Which of its parts are in working order. */
  health: () => Promise<{ vault: boolean; redis: boolean }>;
  now: () => number;
}

/** The worker's own port: health, metrics, and the operator's console with the board of refresh jobs. */
export async function buildConsole(deps: ConsoleDeps): Promise<FastifyInstance> {
  const app = Fastify({ logger: false });
  await app.register(cookie);

  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const parts = await deps.health();
    const isReady = parts.vault && parts.redis;
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ok' : 'degraded', ...parts });
  });
  app.get('/metrics', async (_request, reply) => {
    await deps.collect();
    return reply.type(deps.metrics.contentType).send(await deps.metrics.metrics());
  });

  if (deps.console) await registerConsole(app, deps);
  return app;
}

async function registerConsole(app: FastifyInstance, deps: ConsoleDeps): Promise<void> {
  const { origin } = new URL(deps.consoleUrl);
  const sessions = new AdminSessions(deps.adminToken, deps.now);
  registerSignIn(app, { sessions, origin });
  app.get('/', (_request, reply) => reply.redirect('/board'));
  await app.register(async (scope) => {
    scope.addHook('onRequest', guardConsole({ sessions, origin, writable: deps.boardWritable }));
    await scope.register(createBoard(deps.boardQueues, deps.boardWritable), { prefix: '/board' });
  });
}
