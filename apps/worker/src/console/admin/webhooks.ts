import type { EgressGuard } from '@connectors/egress';
import { checkEndpointUrl, testMessage, type WebhookQueue } from '@connectors/refresh';
import type {
  ConnectorsEvent,
  EndpointWithSecret,
  WebhookEndpoint,
  WebhookStore,
} from '@connectors/vault-core';
import type { FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import { answerProblem } from '../problem.ts';
import type { Idempotency } from './idempotency.ts';
import { tenantParams } from './params.ts';
import { rotation } from './rotation.ts';
import {
  deliveryList,
  newWebhook,
  queued,
  toWebhook,
  webhook,
  webhookChange,
  webhookList,
  webhookParams,
  webhookWithSecret,
} from './webhook-schemas.ts';
import type { ZodRoutes } from './zod-routes.ts';

export interface WebhookRoutes {
  idempotency: Idempotency;
  store: WebhookStore;
  deliveries: WebhookQueue;
  guard: EgressGuard;
  announce: (event: ConnectorsEvent) => Promise<void>;
  log: Logger;
  now: () => number;
}

const all = '/tenants/:tenantId/webhooks';
const one = `${all}/:webhookId`;

/** A tenant's webhook endpoints. One of another tenant is one that there is not. */
export function registerWebhooks(app: ZodRoutes, options: WebhookRoutes): void {
  registerAll(app, options);
  registerOne(app, options);
  registerRemoval(app, options);
  registerSecret(app, options);
  registerDeliveries(app, options);
}

function registerAll(app: ZodRoutes, options: WebhookRoutes): void {
  const { store, guard, now } = options;

  const list = {
    operationId: 'listWebhooks',
    summary: 'The webhook endpoints of a tenant.',
    params: tenantParams,
    response: { 200: webhookList },
  };
  app.get(all, { schema: list }, async ({ params }) => {
    const endpoints = await store.list(params.tenantId);
    return { items: endpoints.map((endpoint) => toWebhook(endpoint, now())) };
  });

  const create = {
    operationId: 'createWebhook',
    summary: 'Creates an endpoint; the answer has the secret that signs its messages.',
    params: tenantParams,
    body: newWebhook,
    response: { 201: webhookWithSecret },
    hasKey: true,
  };
  app.post(all, { schema: create }, async (request, reply) => {
    const {
      params: { tenantId },
      body,
    } = request;
    await checkEndpointUrl(guard, body.url);
    const created = await options.idempotency.once(request, {
      body,
      exists: async (id) => (await store.find(tenantId, id)) !== undefined,
      create: (id) => store.create(tenantId, body, id),
      next: 'Rotate its secret to have one, or delete it.',
    });
    await tellChange(options, tenantId, created.endpoint.id, 'created');
    return reply.code(201).send(withSecret(created, now()));
  });
}

function registerOne(app: ZodRoutes, options: WebhookRoutes): void {
  const { store, guard, now } = options;

  const schema = {
    params: webhookParams,
    response: { 200: webhook },
    problems: ['not_found'] as const,
  };

  const get = { ...schema, operationId: 'getWebhook', summary: 'One endpoint.' };
  app.get(one, { schema: get }, async ({ params }, reply) => {
    const endpoint = await store.find(params.tenantId, params.webhookId);
    return endpoint === undefined ? notFound(reply) : toWebhook(endpoint, now());
  });

  const change = {
    ...schema,
    operationId: 'changeWebhook',
    summary: 'Changes the given fields, and keeps the rest.',
    body: webhookChange,
  };
  app.patch(
    one,
    { schema: change },
    async ({ params: { tenantId, webhookId }, body: { description, ...body } }, reply) => {
      if (body.url !== undefined) await checkEndpointUrl(guard, body.url);
      const text = description === undefined ? {} : { description: description ?? undefined };
      const endpoint = await store.update(tenantId, webhookId, { ...body, ...text });
      if (endpoint === undefined) return notFound(reply);
      await tellChange(options, tenantId, webhookId, 'changed');
      return toWebhook(endpoint, now());
    },
  );
}

function registerRemoval(app: ZodRoutes, options: WebhookRoutes): void {
  const remove = {
    operationId: 'deleteWebhook',
    summary: 'Deletes an endpoint and its secrets.',
    params: webhookParams,
    hasNoContent: true,
    problems: ['not_found'],
  } as const;
  app.delete(one, { schema: remove }, async ({ params }, reply) => {
    const { tenantId, webhookId } = params;
    if (!(await options.store.delete(tenantId, webhookId))) return notFound(reply);
    await tellChange(options, tenantId, webhookId, 'deleted');
    return reply.code(204).send();
  });
}

function registerSecret(app: ZodRoutes, options: WebhookRoutes): void {
  const schema = {
    operationId: 'rotateWebhookSecret',
    summary: 'Makes a new secret; previous ones also sign for the overlap.',
    params: webhookParams,
    body: rotation,
    response: { 200: webhookWithSecret },
    problems: ['not_found'] as const,
  };
  app.post(`${one}/rotate-secret`, { schema }, async ({ params: { tenantId, webhookId }, body }, reply) => {
    const rotated = await options.store.rotateSecret(tenantId, webhookId, body.overlapSeconds * 1000);
    if (rotated === undefined) return notFound(reply);
    await tellChange(options, tenantId, webhookId, 'secret rotated');
    return withSecret(rotated, options.now());
  });
}

function registerDeliveries(app: ZodRoutes, { store, deliveries, now }: WebhookRoutes): void {
  const test = {
    operationId: 'testWebhook',
    summary: 'Sends a test message.',
    params: webhookParams,
    response: { 202: queued },
    problems: ['not_found', 'conflict'] as const,
  };
  app.post(`${one}/test`, { schema: test }, async ({ params: { tenantId, webhookId } }, reply) => {
    const endpoint = await store.find(tenantId, webhookId);
    if (endpoint === undefined) return notFound(reply);
    if (!endpoint.enabled) return answerProblem(reply, 409, 'This webhook is switched off.');
    const message = testMessage(tenantId, webhookId, now());
    // Who tests wants to know now, not tomorrow.
    const deliveryId = await deliveries.addDelivery({ tenantId, endpointId: webhookId, message }, 1);
    return reply.code(202).send({ deliveryId });
  });

  const list = {
    operationId: 'listDeliveries',
    summary: 'The latest deliveries to an endpoint, the newest first.',
    params: webhookParams,
    response: { 200: deliveryList },
    problems: ['not_found'] as const,
  };
  app.get(`${one}/deliveries`, { schema: list }, async ({ params: { tenantId, webhookId } }, reply) => {
    if ((await store.find(tenantId, webhookId)) === undefined) return notFound(reply);
    return { items: await deliveries.deliveries(webhookId) };
  });
}

function notFound(reply: FastifyReply): FastifyReply {
  return answerProblem(reply, 404, 'This tenant has no such webhook.');
}

/** The only place at which a webhook's secret leaves. */
function withSecret({ endpoint, secret }: EndpointWithSecret, now: number) {
  return { ...toWebhook(endpoint, now), secret: secret.reveal() };
}

async function tellChange(
  { announce, log }: WebhookRoutes,
  tenantId: string,
  webhookId: WebhookEndpoint['id'],
  change: string,
): Promise<void> {
  log.info({ tenantId, webhookId, change }, 'webhook endpoint');
  await announce({ type: 'webhooks-changed', tenantId });
}
