/* eslint-disable vitest/expect-expect -- what is expected of each operation stands in one function */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFile, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminToken, startWorld, type World } from '../../start-world.ts';
import { startConsole } from '../start-console.ts';
import {
  operationsOf,
  type NamedOperation,
  type OpenApiDocument,
} from '../../../src/console/admin/openapi-document.ts';
import { answerProblems } from './document.ts';
import { startAdmin, type Admin } from './start-admin.ts';

let world: World;
let admin: Admin;
let document: OpenApiDocument;
let operations: NamedOperation[];
/** What the token endpoint of `minted` answers. */
let mintAnswer: { status: number; body: object };
const tokens = createServer((_request, response) => {
  response.writeHead(mintAnswer.status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(mintAnswer.body));
});

beforeAll(async () => {
  world = await startWorld();
  await new Promise<void>((resolve) => tokens.listen(0, '127.0.0.1', resolve));
  await configureMinted();
  admin = await startAdmin(world, { REFRESH_COOLDOWN_SECONDS: '0', MINTED_CLIENT_SECRET: 'a-secret' });
  document = (await admin.call('GET', '/openapi.json')).body;
  operations = operationsOf(document);
});

afterAll(async () => {
  tokens.close();
  await admin.close();
  await world.close();
});

/** An integration whose tokens are minted, at {@link tokens}. */
async function configureMinted(): Promise<void> {
  const file = world.env['CONNECTORS_CONFIG'] ?? '';
  const { integrations } = JSON.parse(await readFile(file, 'utf8')) as { integrations: object };
  const minted = {
    name: 'Minted',
    grant: 'client_credentials',
    tokenUrl: `http://127.0.0.1:${(tokens.address() as AddressInfo).port}/token`,
    clientId: 'a-client',
    upstream: { rest: 'http://127.0.0.1:9' },
  };
  await writeFile(file, JSON.stringify({ integrations: { ...integrations, minted } }));
}

const goodToken = {
  status: 200,
  body: { access_token: 'minted-token', token_type: 'Bearer', expires_in: 60 },
};
const grants = [{ tenants: ['acme'] }];
const hook = { url: 'https://hooks.example.com' };
const imported = { accessToken: 'imported-token' };

interface Call {
  /** For the places in the path; what is left out is `acme`, `demo` or an id that nobody has. */
  path?: Record<string, string>;
  query?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

const newAgent = async () => (await admin.call('POST', '/agents', { name: 'a', grants })).body.id as string;
const newWebhook = async (body: object = {}) => {
  const { body: created } = await admin.call('POST', '/tenants/acme/webhooks', { ...hook, ...body });
  return created.id as string;
};
const forgetWebhooks = async () => {
  const { body } = await admin.call('GET', '/tenants/acme/webhooks');
  for (const { id } of body.items) await admin.call('DELETE', `/tenants/acme/webhooks/${id}`);
};
const withAgent = async (body?: unknown): Promise<Call> => ({ path: { agentId: await newAgent() }, body });
const withWebhook = async (body?: unknown): Promise<Call> => {
  await forgetWebhooks();
  return { path: { webhookId: await newWebhook() }, body };
};
const connected = async (query = ''): Promise<Call> => {
  await world.connect({ tenantId: 'acme', integration: 'demo' }, { expiresIn: 3_600 });
  return { query };
};
const minting = (answer: typeof mintAnswer): Call => {
  mintAnswer = answer;
  return { path: { integration: 'minted' }, body: {} };
};
/** A tenant that is being offboarded. */
const leaving = async (): Promise<Call> => {
  await world.redis.sadd('connectors:offboarding:leaving', 'a-run');
  return { path: { tenantId: 'leaving' } };
};
const nobody: Call = { path: { tenantId: 'nobody' } };

/** How each operation is brought to each status that only it has. What a status is common to is tested below. */
const cases: Record<string, Record<number, () => Call | Promise<Call>>> = {
  listAgents: { 200: () => ({}) },
  createAgent: { 201: () => ({ body: { name: 'a bot', grants } }) },
  getAgent: { 200: () => withAgent(), 404: () => ({}) },
  changeAgent: { 200: () => withAgent({ name: 'b' }), 404: () => ({ body: { name: 'b' } }) },
  revokeAgent: { 204: () => withAgent(), 404: () => ({}) },
  rotateAgentKey: { 200: () => withAgent({ overlapSeconds: 0 }), 404: () => ({}) },
  listIntegrations: { 200: () => ({}) },
  getOverview: { 200: () => ({}) },
  listTenants: { 200: () => connected('?limit=1') },
  getTenant: { 200: () => connected() },
  offboardTenant: {
    200: async () => {
      await admin.call('PUT', '/tenants/leaver/credentials/demo', imported);
      return { path: { tenantId: 'leaver' } };
    },
  },
  listCredentials: { 200: () => connected('?all=true') },
  getCredential: { 200: () => connected(), 404: () => nobody },
  importCredential: {
    200: async () => ({ ...(await connected()), body: imported }),
    201: () => ({ path: { tenantId: 'newcomer' }, body: imported }),
    404: () => ({ path: { integration: 'nothing' }, body: imported }),
    409: async () => ({ ...(await leaving()), body: imported }),
  },
  mintCredential: {
    201: () => minting(goodToken),
    404: () => ({ path: { integration: 'nothing' }, body: {} }),
    409: async () => ({ ...(await leaving()), body: {} }),
    422: () => minting({ status: 401, body: { error: 'invalid_client' } }),
    502: () => minting({ status: 503, body: {} }),
  },
  refreshCredential: { 200: () => connected('?wait=20'), 202: () => connected(), 404: () => nobody },
  disconnectCredential: { 200: () => connected() },
  listEvents: { 200: () => connected('?limit=200') },
  listTenantEvents: { 200: () => connected('?limit=1') },
  listClients: { 200: () => ({}) },
  getClient: { 200: () => withClient(), 404: () => ({ path: { integration: 'gitlab' } }) },
  setClient: { 200: () => ({ path: { integration: 'slack' }, body: { clientId: 'a', clientSecret: 'b' } }) },
  removeClient: { 204: () => withClient(), 404: () => ({ path: { integration: 'gitlab' } }) },
  listWebhooks: { 200: () => withWebhook() },
  createWebhook: {
    201: async () => {
      await forgetWebhooks();
      return { body: hook };
    },
  },
  getWebhook: { 200: () => withWebhook(), 404: () => ({}) },
  changeWebhook: {
    200: () => withWebhook({ description: 'b' }),
    404: () => ({ body: { description: 'b' } }),
  },
  deleteWebhook: { 204: () => withWebhook(), 404: () => ({}) },
  rotateWebhookSecret: { 200: () => withWebhook(), 404: () => ({}) },
  testWebhook: {
    202: () => withWebhook(),
    404: () => ({}),
    409: async () => {
      await forgetWebhooks();
      return { path: { webhookId: await newWebhook({ enabled: false }) } };
    },
  },
  listDeliveries: { 200: () => withWebhook(), 404: () => ({}) },
  createConnectSession: {
    201: () => ({ body: { integration: 'demo', user: 'ada' } }),
    404: () => ({ body: { integration: 'nothing' } }),
  },
};

async function withClient(): Promise<Call> {
  const body = { clientId: 'a', clientSecret: 'b' };
  await admin.call('PUT', '/clients/slack', body);
  return { path: { integration: 'slack' } };
}

function pathOf({ path }: NamedOperation, values: Record<string, string> = {}, query = ''): string {
  const known: Record<string, string> = { tenantId: 'acme', integration: 'demo', ...values };
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => known[name] ?? 'nobody') + query;
}

function send(operation: NamedOperation, { path, query, body, headers }: Call, on = admin) {
  return on.call(operation.method, pathOf(operation, path, query), body, headers);
}

/** Every operation of the document, one after the other. */
async function forEach(
  check: (operation: NamedOperation) => Promise<unknown>,
  of: (operation: NamedOperation) => boolean = () => true,
): Promise<void> {
  const chosen = operations.filter(of);
  expect(chosen.length).toBeGreaterThan(0);
  for (const operation of chosen) await check(operation);
}

/** Of its body; one that may be left out says so by a second kind. */
function fieldsOf({ requestBody }: NamedOperation): string[] {
  const schema = requestBody?.content['application/json']?.schema;
  return Object.keys((schema?.anyOf?.[0] ?? schema)?.properties ?? {});
}

const common = new Set(['400', '401', '413', '415', '429', '503']);
const goodBody = (operation: NamedOperation): unknown =>
  ({ createAgent: { name: 'a', grants }, createWebhook: hook, importCredential: imported })[
    operation.operationId
  ] ?? (operation.requestBody === undefined ? undefined : {});

describe('the document', () => {
  it('is OpenAPI 3.1, and names and describes every operation, each once', () => {
    expect(document).toMatchObject({ openapi: '3.1.0' });
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(operations.filter(({ operationId, summary }) => !operationId || !summary)).toEqual([]);
  });

  it('describes nothing as anything at all', () => {
    const bodies = operations.flatMap(({ operationId, requestBody, responses }) =>
      [requestBody, ...Object.values(responses)]
        .flatMap((part) => Object.values(part?.content ?? {}))
        .filter(({ schema }) => Object.keys(schema as object).length === 0)
        .map(() => operationId),
    );
    expect(bodies).toEqual([]);
  });

  it('is what these tests go through: each status that only some operations have', () => {
    const documented = operations.flatMap(({ operationId, responses, parameters = [] }) =>
      Object.keys(responses)
        .filter((status) => !common.has(status))
        // With an idempotency key; these have tests of their own.
        .filter(
          (status) => !(parameters.some(({ in: place }) => place === 'header') && /409|422/.test(status)),
        )
        .map((status) => `${operationId} ${status}`),
    );
    const tested = Object.entries(cases).flatMap(([id, each]) =>
      Object.keys(each).map((status) => `${id} ${status}`),
    );
    expect(tested.toSorted()).toEqual(documented.toSorted());
  });
});

describe('each operation answers as it says:', () => {
  it.each(
    Object.entries(cases).flatMap(([id, each]) =>
      Object.entries(each).map(([status, prepare]) => ({ id, status: Number(status), prepare })),
    ),
  )('$id $status', async ({ id, status, prepare }) => {
    const operation = operations.find(({ operationId }) => operationId === id) as NamedOperation;
    const answer = await send(operation, await prepare());
    expect({ status: answer.status, body: answer.body }).toMatchObject({ status });
    expect(answerProblems(document, operation, answer)).toEqual([]);
    expect(JSON.stringify(answer.body ?? '')).not.toMatch(/imported-token|minted-token/);
  });
});

describe('every operation', () => {
  const tellsWhy = async (operation: NamedOperation, status: number, call: Call, detail?: RegExp) => {
    const answer = await send(operation, call);
    expect({ operation: operation.operationId, status: answer.status }).toEqual({
      operation: operation.operationId,
      status,
    });
    expect(answerProblems(document, operation, answer)).toEqual([]);
    if (detail !== undefined) expect(answer.body.detail).toMatch(detail);
  };

  it('refuses who has no token', () =>
    forEach((operation) => tellsWhy(operation, 401, { headers: { authorization: '' } })));

  it('refuses who has only the cookie of the console', async () => {
    const signIn = await fetch(`${admin.url}/sign-in`, {
      method: 'POST',
      headers: { origin: 'http://127.0.0.1:8090' },
      body: new URLSearchParams({ token: adminToken }),
      redirect: 'manual',
    });
    const cookie = signIn.headers.get('set-cookie')?.split(';')[0] ?? '';
    expect(cookie).not.toBe('');
    await forEach((operation) => tellsWhy(operation, 401, { headers: { authorization: '', cookie } }));
  });

  it('refuses each malformed id in its path, by its name', () =>
    forEach(
      async (operation) => {
        for (const { name } of operation.parameters?.filter(({ in: place }) => place === 'path') ?? []) {
          const call = { path: { [name]: '..%2F_agents' }, body: goodBody(operation) };
          await tellsWhy(operation, 400, call, new RegExp(`${name}: must be 1 to 64 characters`));
        }
      },
      ({ path }) => path.includes('{'),
    ));

  it('refuses a parameter that it does not know, or whose value is none', () =>
    forEach(async (operation) => {
      await tellsWhy(operation, 400, { query: '?dryRun=1', body: goodBody(operation) }, /^dryRun: /);
      for (const { name } of operation.parameters?.filter(({ in: place }) => place === 'query') ?? [])
        await tellsWhy(operation, 400, { query: `?${name}=%00` }, new RegExp(`${name}: `));
    }));

  it('refuses a body where it takes none, and not one without a field', () =>
    forEach(
      async (operation) => {
        await tellsWhy(operation, 400, { body: { wait: 10 } }, /^wait: there is no such field here$/);
        const { status } = await send(operation, { path: { tenantId: 'nobody' }, body: {} });
        expect({ operation: operation.operationId, status }).not.toMatchObject({ status: 400 });
      },
      ({ requestBody, method }) => requestBody === undefined && method !== 'GET',
    ));

  const takesBody = ({ requestBody }: NamedOperation) => requestBody !== undefined;

  it('refuses a body that is no JSON, no object, or of another type', () =>
    forEach(async (operation) => {
      await tellsWhy(operation, 400, { body: '{' }, /^body: must be JSON/);
      await tellsWhy(operation, 400, { body: [] }, /^body: /);
      const form = { body: 'a=b', headers: { 'content-type': 'text/plain' } };
      await tellsWhy(operation, 415, form, /^Content-Type: must be application\/json$/);
    }, takesBody));

  it('refuses a body that is too large', () =>
    forEach(
      (operation) => tellsWhy(operation, 413, { body: { text: 'a'.repeat(70_000) } }, /^body: .* 64 KiB$/),
      takesBody,
    ));

  it('refuses each field of the wrong kind, by its name', () =>
    forEach(async (operation) => {
      for (const name of fieldsOf(operation)) {
        const body = { ...(goodBody(operation) as object), [name]: { not: ['this'] } };
        await tellsWhy(operation, 400, { body }, new RegExp(`(?:^|; )${name}`));
      }
    }, takesBody));

  it('refuses a field that it does not know', () =>
    forEach(async (operation) => {
      const body = { ...(goodBody(operation) as object), unheard: 'of' };
      await tellsWhy(operation, 400, { body }, /unheard: there is no such field here/);
    }, takesBody));

  it('says that Vault or Redis is away, where it needs them, in the way that it documents', async () => {
    world.vaultServer.seal();
    const answers: Record<string, number> = {};
    await forEach(async (operation) => {
      const answer = await send(operation, { body: goodBody(operation) });
      answers[operation.operationId] = answer.status;
      expect(answerProblems(document, operation, answer)).toEqual([]);
    });
    world.vaultServer.unseal();
    expect(Object.entries(answers).filter(([, status]) => status >= 500 && status !== 503)).toEqual([]);
    expect(Object.values(answers).filter((status) => status === 503).length).toBeGreaterThan(20);
  });
});

describe('without Redis', () => {
  it.each(['/overview', '/events', '/tenants/acme/events'])('%s says so', async (path) => {
    const console = await startConsole();
    await console.redisServer.close();
    const answer = await console.request(`/admin${path}`, {
      headers: { authorization: `Bearer ${adminToken}` },
    });
    expect([answer.status, await answer.json()]).toMatchObject([503, { code: 'queue_unavailable' }]);
    await console.close();
  });
});

it('too many wrong tokens are a 429 as it is documented', async () => {
  const wrong = () => admin.call('GET', '/agents', undefined, { authorization: 'Bearer wrong' });
  for (let round = 0; round < 10; round += 1) await wrong();
  const operation = operations.find(({ operationId }) => operationId === 'listAgents') as NamedOperation;
  const answer = await wrong();
  expect(answer.status).toBe(429);
  expect(answerProblems(document, operation, answer)).toEqual([]);
});
