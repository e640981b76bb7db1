import { ConnectorsError, type ErrorCode } from '@connectors/vault-core';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifySchema,
  FastifyTypeProvider,
  RawServerDefault,
} from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';

declare module 'fastify' {
  /** What the OpenAPI document says of a route beside its shapes. */
  interface FastifySchema {
    /** Its name, for clients in code. */
    operationId?: string;
    summary?: string;
    /** The problems that it may answer with, beside those that any route may. */
    problems?: readonly ErrorCode[];
    /** It answers 204. */
    hasNoContent?: boolean;
    /** It takes an `Idempotency-Key`. */
    hasKey?: boolean;
  }
}

/** The schema of a route here. */
export interface DocumentedSchema extends Pick<
  FastifySchema,
  'operationId' | 'summary' | 'problems' | 'hasNoContent' | 'hasKey'
> {
  params?: z.ZodType;
  querystring?: z.ZodType;
  body?: z.ZodType;
  response?: Record<number, z.ZodType>;
}

interface ZodTypes extends FastifyTypeProvider {
  validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown;
  serializer: this['schema'] extends z.ZodType ? z.input<this['schema']> : unknown;
}

/** Routes whose `schema` is made of zod: what they take and give has the types of it, and nothing else leaves. */
export type ZodRoutes = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypes
>;

export function useZod(app: FastifyInstance): ZodRoutes {
  app.setValidatorCompiler<z.ZodType>(({ schema }) => (data) => {
    const result = schema.safeParse(data, { error: sayMissing });
    return result.success ? { value: result.data } : { error: invalid(result.error) };
  });
  app.addHook('preValidation', async ({ query, body, routeOptions }) => {
    const { schema = {} } = routeOptions;
    refuse(schema.querystring === undefined ? Object.keys(query as object) : []);
    // Nothing, or an empty object, is what some clients send with everything.
    refuse(schema.body === undefined ? Object.keys(body ?? {}) : []);
  });
  app.setSerializerCompiler<z.ZodType>(
    ({ schema }) =>
      (data) =>
        JSON.stringify(schema.parse(data)),
  );
  return app.withTypeProvider<ZodTypes>();
}

const unknown = 'there is no such field here';

/** A route that takes no fields takes none: who asks for a rehearsal must not get the real thing. */
function refuse(fields: string[]): void {
  if (fields.length > 0) throw invalidRequest(fields.map((field) => `${field}: ${unknown}`));
}

function sayMissing({ code, input }: z.core.$ZodRawIssue): string | undefined {
  return code === 'invalid_type' && input === undefined ? 'is missing' : undefined;
}

/** Names each field and its rule. */
function invalid({ issues }: z.ZodError): ConnectorsError {
  return invalidRequest(
    issues.flatMap((issue) => {
      const { path, message } = issue;
      if (issue.code === 'unrecognized_keys')
        return issue.keys.map((key) => `${[...path, key].join('.')}: ${unknown}`);
      return `${path.join('.') || 'body'}: ${message}`;
    }),
  );
}

function invalidRequest(problems: string[]): ConnectorsError {
  return new ConnectorsError('invalid_request', problems.join('; '));
}
