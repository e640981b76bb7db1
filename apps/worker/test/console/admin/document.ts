/* eslint-disable typescript/no-explicit-any -- a document is walked, not computed with */
import { z } from 'zod';

/** The OpenAPI document of a console, as its clients see it. */
export interface OpenApiDocument {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
}

export interface Operation {
  operationId: string;
  summary: string;
  parameters?: { name: string; in: 'path' | 'query' | 'header'; required: boolean; schema: any }[];
  requestBody?: { required: boolean; content: Record<string, { schema: any }> };
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}

export interface NamedOperation extends Operation {
  method: string;
  path: string;
}

export function operationsOf({ paths }: OpenApiDocument): NamedOperation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      path,
      method: method.toUpperCase(),
    })),
  );
}

/** What is wrong with an answer, going by the document alone: nothing, for one that is as it says. */
export function answerProblems(
  document: OpenApiDocument,
  { responses }: Operation,
  answer: { status: number; headers: Headers; body: unknown },
): string[] {
  const documented = responses[String(answer.status)];
  if (documented === undefined) return [`${answer.status} is not documented`];
  const [[type, { schema }] = ['', { schema: {} }]] = Object.entries(documented.content ?? {});
  if (documented.content === undefined)
    return answer.body === undefined ? [] : ['there is a body where none is documented'];
  if (answer.headers.get('content-type')?.startsWith(type) !== true) return [`its type is not ${type}`];
  const { schemas } = document.components;
  const text = JSON.stringify({ ...schema, $defs: schemas }).replaceAll('#/components/schemas/', '#/$defs/');
  const result = z.fromJSONSchema(JSON.parse(text)).safeParse(answer.body);
  return result.success
    ? []
    : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}
