import { errorTable, type ErrorCode } from '@connectors/vault-core';
import { z } from 'zod';
import type { OpenApiDocument, Operation, Schema } from './openapi-document.ts';
import type { DocumentedSchema } from './zod-routes.ts';

/** A route as it was registered. */
export interface DocumentedRoute {
  method: string;
  /** With `:name` for parameters. */
  path: string;
  schema: DocumentedSchema;
}

type Parameter = NonNullable<Operation['parameters']>[number];
type Responses = Operation['responses'];
type Schemas = Record<string, Schema>;

/** Problems of every operation, and of those that have a body to read. */
const always: readonly ErrorCode[] = [
  'invalid_request',
  'admin_unauthenticated',
  'rate_limited',
  'vault_unavailable',
  'queue_unavailable',
];
const withBody: readonly ErrorCode[] = ['payload_too_large', 'unsupported_media_type'];
const withKey: readonly ErrorCode[] = ['already_created', 'request_in_progress', 'idempotency_key_reused'];

const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(errorTable) as [ErrorCode, ...ErrorCode[]]),
    detail: z.string().describe('A sentence for people.'),
    id: z.string().optional().describe('With `already_created`: what the earlier request made.'),
    reason: z
      .string()
      .optional()
      .describe('With `provider_refused` and `provider_unavailable`: the reason, as a code.'),
  })
  .meta({ id: 'Problem', description: 'RFC 9457.' });

/** The OpenAPI 3.1 document of the admin API, made from the schemas that requests and answers are checked with. */
export function openApiDocument(routes: readonly DocumentedRoute[]): OpenApiDocument {
  const schemas: Schemas = {};
  const paths: OpenApiDocument['paths'] = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, schemas) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Connectors: admin API', version: '1' },
    servers: [{ url: '/admin' }],
    security: [{ adminToken: [] }],
    paths,
    components: {
      securitySchemes: { adminToken: { type: 'http', scheme: 'bearer' } },
      schemas,
    },
  };
}

function operation({ path, schema }: DocumentedRoute, schemas: Schemas): Operation {
  const { operationId = '', summary = '', params, querystring, body, hasKey = false } = schema;
  const parameters = [
    ...parametersOf(params, 'path', schemas),
    ...parametersOf(querystring, 'query', schemas),
    ...(hasKey ? [keyParameter] : []),
  ];
  return {
    operationId,
    summary,
    tags: [tagOf(path)],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: requestBody(body, schemas) }),
    responses: { ...answersOf(schema, schemas), ...problemsOf(schema, schemas) },
  };
}

const keyParameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'Your key for this request: repeating the request with the same key creates nothing twice. Remembered for a day.',
  schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,200}$' },
};

/** What an operation is about: the last part of its path that is a plural. */
function tagOf(path: string): string {
  return path.split('/').findLast((part) => /^[a-z-]+s$/.test(part)) ?? 'operation';
}

function parametersOf(schema: z.ZodType | undefined, place: 'path' | 'query', schemas: Schemas): Parameter[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = toJson(schema, 'output', schemas);
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: required.includes(name) && !('default' in rest),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

function requestBody(schema: z.ZodType, schemas: Schemas): NonNullable<Operation['requestBody']> {
  const required = !schema.safeParse(undefined).success;
  return { required, content: { 'application/json': { schema: toJson(schema, 'input', schemas) } } };
}

function answersOf({ response = {}, hasNoContent = false }: DocumentedSchema, schemas: Schemas): Responses {
  const answers = Object.entries(response).map(([status, schema]) => [
    status,
    {
      description: schema.description ?? words[status] ?? 'The answer.',
      content: { 'application/json': { schema: toJson(schema, 'output', schemas) } },
    },
  ]);
  return {
    ...(Object.fromEntries(answers) as Responses),
    ...(hasNoContent ? { 204: { description: 'Done.' } } : {}),
  };
}

const words: Readonly<Record<string, string>> = { 200: 'Done.', 201: 'Made.', 202: 'Under way.' };

/** By status, the codes that have it. */
function problemsOf(schema: DocumentedSchema, schemas: Schemas): Responses {
  const { body, hasKey = false, problems = [] } = schema;
  const codes = [...always, ...(body === undefined ? [] : withBody), ...(hasKey ? withKey : []), ...problems];
  const byStatus = Map.groupBy(codes, (code) => errorTable[code].status);
  const content = { 'application/problem+json': { schema: toJson(problem, 'output', schemas) } };
  return Object.fromEntries(
    [...byStatus].map(([status, each]) => [
      status,
      { description: each.map((code) => `\`${code}\`: ${errorTable[code].title}.`).join(' '), content },
    ]),
  );
}

/** Moves what has a name to where all operations find it. */
function toJson(schema: z.ZodType, io: 'input' | 'output', schemas: Schemas): Schema {
  const { $schema: _dialect, $defs, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  for (const [name, definition] of Object.entries($defs ?? {})) schemas[name] = pointed(definition);
  return pointed(json);
}

function pointed(schema: object): Schema {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as Schema;
}
