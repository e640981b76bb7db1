import { format } from 'prettier';
import {
  operationsOf,
  type NamedOperation,
  type OpenApiDocument,
  type Schema,
} from '../../apps/worker/src/console/admin/openapi-document.ts';

const head = `// Made from the OpenAPI document of the admin API: npx pnpm@12 run docs makes it anew.
// oxlint-disable max-lines`;

/** The types of the admin API, and where its operations are, for packages/admin-client. */
export function adminClientTypes(document: OpenApiDocument): Promise<string> {
  const operations = operationsOf(document);
  const parts = [
    head,
    ...Object.entries(document.components.schemas).map(
      ([name, schema]) => `${comment(schema.description)}export type ${name} = ${typeOf(schema)};`,
    ),
    `export interface Operations {\n${operations.map(entry).join('\n')}\n}`,
    `export const operations = ${JSON.stringify(
      Object.fromEntries(operations.map(({ operationId, method, path }) => [operationId, { method, path }])),
    )} as const;`,
  ];
  return format(parts.join('\n\n'), { parser: 'typescript', printWidth: 110, singleQuote: true });
}

function entry({ operationId, summary, parameters = [], requestBody, responses }: NamedOperation): string {
  const params = parameters.filter(({ in: place }) => place !== 'header').map(member);
  const body = requestBody?.content['application/json']?.schema;
  const answers = Object.entries(responses)
    .filter(([status]) => status.startsWith('2'))
    .map(([, { content }]) => {
      const schema = content?.['application/json']?.schema;
      return schema === undefined ? 'undefined' : typeOf(schema);
    });
  return `${comment(summary)}${operationId}: {
    params: { ${params.join(' ')} };
    body: ${body === undefined ? 'undefined' : typeOf(body)}${requestBody?.required === false ? ' | undefined' : ''};
    answer: ${[...new Set(answers)].join(' | ')};
  };`;
}

function member({
  name,
  required,
  schema,
  description,
}: {
  name: string;
  required: boolean;
  schema: Schema;
  description?: string;
}): string {
  return `${comment(description)}${name}${required ? '' : '?'}: ${typeOf(schema)};`;
}

/** A JSON schema as a type. Patterns and bounds are left to the console. */
function typeOf(schema: Schema): string {
  const { $ref, type, properties, required = [], items, additionalProperties } = schema;
  const kinds = schema.anyOf ?? schema.oneOf;
  if ($ref !== undefined) return $ref.slice($ref.lastIndexOf('/') + 1);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((each) => JSON.stringify(each)).join(' | ');
  if (kinds !== undefined) return kinds.map(typeOf).join(' | ');
  if (type === 'array' && items !== undefined) return `(${typeOf(items)})[]`;
  if (properties !== undefined) {
    const members = Object.entries(properties).map(([name, each]) =>
      member({ name, required: required.includes(name), schema: each, ...descriptionOf(each) }),
    );
    return `{ ${members.join('\n')} }`;
  }
  if (typeof additionalProperties === 'object') return `Record<string, ${typeOf(additionalProperties)}>`;
  if (type === 'integer') return 'number';
  if (type === undefined || type === 'object')
    throw new Error(`a schema without a type: ${JSON.stringify(schema)}`);
  return type;
}

function descriptionOf({ description }: Schema): { description?: string } {
  return description === undefined ? {} : { description };
}

function comment(text: string | undefined): string {
  return text === undefined ? '' : `/** ${text} */\n`;
}
