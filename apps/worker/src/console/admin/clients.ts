import {
  ConnectorsError,
  Secret,
  type ClientStore,
  type ClientSummary,
  type KeptClient,
  type OAuthClient,
} from '@connectors/vault-core';
import type { Logger } from 'pino';
import { z } from 'zod';
import { answerProblem } from '../problem.ts';
import { id } from './params.ts';
import type { ZodRoutes } from './zod-routes.ts';

export interface ClientRoutes {
  clients: ClientStore;
  /** Those that this worker was started with; absent: they could not be read. */
  loadedClients: ReadonlyMap<string, KeptClient> | undefined;
  /** What would keep a worker from starting with this client. */
  findClientProblems: (integration: string, client: OAuthClient) => string[];
  log: Logger;
}

const params = z.object({ integration: id });

const text = z.string().trim().min(1);

const newClient = z.strictObject({
  clientId: text.max(500),
  clientSecret: text.max(4_096).exactOptional().describe('Left out: a public client, or one that signs.'),
  clientKey: text.max(16_384).exactOptional().describe('A private key in PEM.'),
  clientKeyId: text.max(500).exactOptional(),
});

const shownClient = z
  .object({
    integration: z.string(),
    clientId: z.string(),
    hasSecret: z.boolean(),
    hasKey: z.boolean(),
    clientKeyId: z.string().exactOptional(),
    updatedAt: z.string(),
    needsRestart: z
      .boolean()
      .describe(
        'Whether this worker does not use its current state yet: workers read clients when they start.',
      ),
  })
  .meta({ id: 'Client' });

const clientList = z.object({
  items: z.array(shownClient),
  /** Integrations whose documents in Vault are not as they should be. */
  unreadable: z.array(z.string()),
});

const all = '/clients';
const one = `${all}/:integration`;

/** The OAuth clients that are kept in Vault. What is secret goes in, and never comes out. */
export function registerClients(app: ZodRoutes, options: ClientRoutes): void {
  registerReading(app, options);
  registerSetting(app, options);
  registerRemoval(app, options);
}

function shownBy({ loadedClients }: ClientRoutes) {
  return (client: ClientSummary) => ({
    ...client,
    needsRestart: loadedClients?.get(client.integration)?.updatedAt !== client.updatedAt,
  });
}

function registerReading(app: ZodRoutes, options: ClientRoutes): void {
  const { clients } = options;
  const shown = shownBy(options);

  const list = {
    operationId: 'listClients',
    summary: 'The OAuth clients that are kept in Vault.',
    response: { 200: clientList },
  };
  app.get(all, { schema: list }, async () => {
    const { clients: found, unreadable } = await clients.list();
    return { items: found.map(shown), unreadable };
  });

  const get = {
    operationId: 'getClient',
    summary: 'One client, without its secrets.',
    params,
    response: { 200: shownClient },
    problems: ['not_found'] as const,
  };
  app.get(one, { schema: get }, async ({ params }, reply) => {
    const client = await clients.find(params.integration);
    return client === undefined
      ? answerProblem(reply, 404, 'There is no such client in Vault.')
      : shown(client);
  });
}

function registerSetting(app: ZodRoutes, options: ClientRoutes): void {
  const { clients, findClientProblems, log } = options;
  const set = {
    operationId: 'setClient',
    summary: 'Stores a client, and replaces one that is stored. Workers read it when they start.',
    params,
    body: newClient,
    response: { 200: shownClient },
  };
  app.put(
    one,
    { schema: set },
    async ({ params: { integration }, body: { clientSecret, clientKey, ...rest } }) => {
      const client = {
        ...rest,
        ...(clientSecret === undefined ? {} : { clientSecret: new Secret(clientSecret) }),
        ...(clientKey === undefined ? {} : { clientKey: new Secret(clientKey) }),
      };
      const problems = findClientProblems(integration, client).map(inOurWords);
      if (problems.length > 0) throw new ConnectorsError('invalid_request', problems.join('; '));
      const kept = await clients.set(integration, client);
      log.info({ integration, change: 'set' }, 'client');
      return shownBy(options)(kept);
    },
  );
}

/** Problems name fields of connectors.yaml; those of a client are called otherwise here. */
function inOurWords(problem: string): string {
  return problem.replace(/^integrations\.[^.]+\.client(Key|Secret)Env: /, 'client$1: ');
}

function registerRemoval(app: ZodRoutes, { clients, log }: ClientRoutes): void {
  const remove = {
    operationId: 'removeClient',
    summary: 'Deletes a client.',
    params,
    hasNoContent: true,
    problems: ['not_found'],
  } as const;
  app.delete(one, { schema: remove }, async ({ params: { integration } }, reply) => {
    if (!(await clients.delete(integration)))
      return answerProblem(reply, 404, 'There is no such client in Vault.');
    log.info({ integration, change: 'removed' }, 'client');
    return reply.code(204).send();
  });
}
