import {
  openEngine,
  passQueueName,
  refreshSettings,
  tenantQueueName,
  webhookQueueName,
  type OpenEngine,
} from '@connectors/refresh';
import {
  publishEvent,
  refreshQueueName,
  requestQueueName,
  VaultClient,
  vaultOptions,
  type ConnectorsEvent,
} from '@connectors/vault-core';
import { Queue } from 'bullmq';
import type { FastifyInstance } from 'fastify';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { WorkerConfig } from './config.ts';
import { buildConsole } from './console/app.ts';
import { Idempotency } from './console/admin/idempotency.ts';
import { Connections } from './console/connections.ts';
import { oidcSettings } from './console/oidc/oidc-settings.ts';
import type { ConnectDeps } from './console/connect/connect.ts';
import { checkHealth, collectStates } from './health.ts';
import { createMetrics, type WorkerMetrics } from './metrics.ts';

export interface WorkerApp {
  /** Of the console, of health and of metrics. */
  url: string;
  /** Ends when the jobs under way have ended. */
  close(): Promise<void>;
}

/**
 * Puts a worker together and starts it.
 *
 * @throws {Error} `EADDRINUSE` when the port is taken; then no job was begun
 */
export async function startApp(config: WorkerConfig, log: Logger): Promise<WorkerApp> {
  const metrics = createMetrics();
  const vault = new VaultClient(vaultOptions(config));
  const refreshing = openEngine({
    vault,
    redisUrl: config.REDIS_URL,
    prefix: config.REDIS_PREFIX,
    integrations: config.integrations,
    guard: config.guard,
    consoleUrl: config.CONSOLE_URL,
    settings: refreshSettings(config),
    metrics,
    log,
  });
  const console = await openConsole(config, { log, metrics, vault, refreshing });
  const url = await console.listen({ host: config.HOST, port: config.CONSOLE_PORT });
  refreshing.start();

  return {
    url,
    async close() {
      await Promise.all([console.close(), refreshing.close()]);
      await vault.close();
    },
  };
}

interface Parts {
  log: Logger;
  metrics: WorkerMetrics;
  vault: VaultClient;
  refreshing: OpenEngine;
}

function openConsole(config: WorkerConfig, parts: Parts): Promise<FastifyInstance> {
  const { log, metrics, vault, refreshing } = parts;
  const { engine, background, requests, onRedisError } = refreshing;
  const integrations = [...config.integrations.keys()];
  const { queues, spool } = engine;
  const health = { vault, redis: requests, queues, spool, integrations, metrics };
  const overview = { queues, spool, states: refreshing.states, integrations, now: Date.now };
  return buildConsole({
    adminToken: config.CONSOLE ? config.ADMIN_TOKEN : undefined,
    consoleUrl: config.CONSOLE_URL,
    boardWritable: config.BOARD_WRITABLE,
    oidc: oidcSettings(config),
    adminApi: { ...adminApiOf(config, parts), overview },
    connect: connectOf(config, parts),
    overview,
    openBoardQueues: () => openBoardQueues(integrations, background, config.REDIS_PREFIX, onRedisError),
    isRedisUp: () => background.status === 'ready',
    metrics: metrics.registry,
    collect: () => collectStates(health),
    health: () => checkHealth(health),
    log,
    now: Date.now,
  });
}

function adminApiOf(config: WorkerConfig, { vault, refreshing }: Parts) {
  const { engine, background, requests, events, history, states, webhooks } = refreshing;
  const { guard, clients, findClientProblems, REDIS_PREFIX: prefix } = config;
  return {
    connections: new Connections({ vault, engine, events }),
    vault,
    engine,
    history,
    idempotency: new Idempotency(requests, prefix),
    tenantStates: states,
    store: vault.webhooks,
    deliveries: webhooks,
    guard,
    announce: engine.announce,
    agents: vault.agents,
    clients: vault.clients,
    loadedClients: clients,
    findClientProblems,
    announceLater: (event: ConnectorsEvent) =>
      void publishEvent(background, prefix, event).catch(() => undefined),
  };
}

function connectOf(config: WorkerConfig, { metrics, vault, refreshing }: Parts): ConnectDeps {
  return {
    redis: refreshing.requests,
    prefix: config.REDIS_PREFIX,
    vault,
    engine: refreshing.engine,
    integrations: config.integrations,
    returnOrigins: config.CONNECT_RETURN_ORIGINS,
    signInUrl: config.CONNECT_SIGN_IN_URL,
    onConnect: (integration, outcome) => metrics.connects.inc({ integration, outcome }),
  };
}

/** The board keeps its queues for good, so theirs is a connection that waits for Redis. */
function openBoardQueues(
  integrations: string[],
  connection: Redis,
  prefix: string,
  onRedisError: (error: Error) => void,
): Queue[] {
  const others = [requestQueueName, passQueueName, tenantQueueName, webhookQueueName];
  const names = [...integrations.map(refreshQueueName), ...others];
  return names.map((name) => new Queue(name, { connection, prefix }).on('error', onRedisError));
}
