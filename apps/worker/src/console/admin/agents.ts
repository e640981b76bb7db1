import type { AgentStore, AgentWithKey, ConnectorsEvent } from '@connectors/vault-core';
import type { FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import { answerProblem } from '../problem.ts';
import {
  agentChange,
  agentPage,
  agentParams,
  agentWithKey,
  checkExpiries,
  newAgent,
  shownAgent,
} from './agent-schemas.ts';
import type { Idempotency } from './idempotency.ts';
import { pageQuery } from './params.ts';
import { rotation } from './rotation.ts';
import type { ZodRoutes } from './zod-routes.ts';

export interface AgentRoutes {
  idempotency: Idempotency;
  agents: AgentStore;
  /** Reaches the proxies also if Redis is only back later. Nobody waits for that. */
  announceLater: (event: ConnectorsEvent) => void;
  log: Logger;
  now: () => number;
}

const all = '/agents';
const one = `${all}/:agentId`;

/** The agents, their keys and grants. */
export function registerAgents(app: ZodRoutes, options: AgentRoutes): void {
  registerAll(app, options);
  registerOne(app, options);
  registerRotation(app, options);
}

function registerAll(app: ZodRoutes, { agents, idempotency, announceLater, log, now }: AgentRoutes): void {
  const list = {
    operationId: 'listAgents',
    summary: 'All agents, in pages.',
    querystring: pageQuery,
    response: { 200: agentPage },
  };
  app.get(all, { schema: list }, async ({ query }) => {
    const { agents: items, ...rest } = await agents.listPage(query.limit, query.after);
    return { items, ...rest };
  });

  const create = {
    operationId: 'createAgent',
    summary: 'Creates an agent; the answer has its key.',
    body: newAgent,
    response: { 201: agentWithKey },
    hasKey: true,
  };
  app.post(all, { schema: create }, async (request, reply) => {
    const { body } = request;
    checkExpiries(body, now());
    const { expiresAt, ...settings } = body;
    const created = await idempotency.once(request, {
      body,
      exists: async (id) => (await agents.find(id)) !== undefined,
      create: (id) => agents.create({ ...settings, ...expiry(expiresAt) }, id),
      next: 'Rotate its key to have one, or revoke it.',
    });
    log.info({ agentId: created.agent.id, change: 'created' }, 'agent');
    announceLater({ type: 'agent-changed', agentId: created.agent.id });
    return reply.code(201).send(withKey(created));
  });
}

function registerOne(app: ZodRoutes, options: AgentRoutes): void {
  const { agents, now } = options;
  const schema = {
    params: agentParams,
    response: { 200: shownAgent },
    problems: ['not_found'] as const,
  };

  const get = { ...schema, operationId: 'getAgent', summary: 'One agent.' };
  app.get(one, { schema: get }, async ({ params }, reply) => {
    return (await agents.find(params.agentId)) ?? notFound(reply);
  });

  const change = {
    ...schema,
    operationId: 'changeAgent',
    summary: 'Changes the given fields, and keeps the rest.',
    body: agentChange,
  };
  app.patch(one, { schema: change }, async ({ params, body }, reply) => {
    checkExpiries(body, now());
    const { expiresAt, ...changes } = body;
    const update = () => agents.update(params.agentId, { ...changes, ...expiry(expiresAt) });
    return (await telling(options, params.agentId, 'changed', update)) ?? notFound(reply);
  });

  const revoke = {
    operationId: 'revokeAgent',
    summary: 'Revokes an agent and its keys.',
    params: agentParams,
    hasNoContent: true,
    problems: ['not_found'],
  } as const;
  app.delete(one, { schema: revoke }, async ({ params: { agentId } }, reply) => {
    const isFound = await telling(options, agentId, 'revoked', () => agents.delete(agentId));
    return isFound ? reply.code(204).send() : notFound(reply);
  });
}

function registerRotation(app: ZodRoutes, options: AgentRoutes): void {
  const schema = {
    operationId: 'rotateAgentKey',
    summary: 'Makes a new key; previous ones stay valid for the overlap.',
    params: agentParams,
    body: rotation,
    response: { 200: agentWithKey },
    problems: ['not_found'] as const,
  };
  app.post(`${one}/rotate`, { schema }, async ({ params: { agentId }, body }, reply) => {
    const rotate = () => options.agents.rotate(agentId, body.overlapSeconds * 1_000);
    const rotated = await telling(options, agentId, 'key rotated', rotate);
    return rotated === undefined ? notFound(reply) : withKey(rotated);
  });
}

/** `null` takes an expiry away; nothing leaves it as it is. */
function expiry(expiresAt: string | null | undefined): { expiresAt?: Date | undefined } {
  if (expiresAt === undefined) return {};
  return { expiresAt: expiresAt === null ? undefined : new Date(expiresAt) };
}

function notFound(reply: FastifyReply): FastifyReply {
  return answerProblem(reply, 404, 'There is no such agent.');
}

/** The only place at which an agent's key leaves. */
function withKey({ agent, key }: AgentWithKey) {
  return { ...agent, key: key.reveal() };
}

/** Makes a change, and announces it also if it failed: Vault may have done it, and its answer been lost. */
async function telling<T>(
  { announceLater, log }: AgentRoutes,
  agentId: string,
  change: string,
  make: () => Promise<T>,
): Promise<T> {
  try {
    const made = await make();
    if (made) log.info({ agentId, change }, 'agent');
    return made;
  } finally {
    announceLater({ type: 'agent-changed', agentId });
  }
}
