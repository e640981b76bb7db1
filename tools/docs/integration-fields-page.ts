import { entrySchema, oauthDefaults } from '@connectors/oauth';
import type { z } from 'zod';
import { page, table } from './markdown.ts';

/** Every field that an entry of `connectors.yaml` may have. */
export function integrationFieldsPage(): string {
  return page('Fields of an integration', [
    'All fields that an entry of `connectors.yaml` may have; [integrations](integrations.md) explains when to use them. The defaults are those of RFC 6749 and its companions; a provider of the [catalog](providers.md) has its own.',
    table(
      ['Field', 'Value', 'Default', 'Meaning'],
      Object.entries(entrySchema.shape).map(([name, field]) => [
        `\`${name}\``,
        valueOf(field),
        defaultOf(name),
        descriptionOf(field),
      ]),
    ),
  ]);
}

function valueOf(field: z.ZodType): string {
  const { type, innerType, entries } = field.def as {
    type: string;
    innerType?: z.ZodType;
    entries?: Record<string, string>;
  };
  if (innerType !== undefined) return valueOf(innerType);
  if (entries !== undefined) return Object.values(entries).map(code).join(', ');
  return { array: 'list', record: 'map', object: 'map' }[type] ?? type;
}

function defaultOf(name: string): string {
  const value: unknown =
    name in oauthDefaults ? oauthDefaults[name as keyof typeof oauthDefaults] : undefined;
  if (value === undefined || isEmpty(value)) return '';
  return code(typeof value === 'string' ? value : JSON.stringify(value));
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function descriptionOf(field: z.ZodType): string {
  const { innerType } = field.def as { innerType?: z.ZodType };
  return field.description ?? (innerType === undefined ? '' : descriptionOf(innerType));
}

/** A lone space would vanish between backticks. */
function code(text: string): string {
  return text === ' ' ? 'a space' : `\`${text}\``;
}
