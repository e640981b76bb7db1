import { z } from 'zod';
import type { OpenApiDocument, Operation } from '../../../src/console/admin/openapi-document.ts';

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
  const result = z
    .fromJSONSchema(JSON.parse(text) as Parameters<typeof z.fromJSONSchema>[0])
    .safeParse(answer.body);
  return result.success
    ? []
    : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}
