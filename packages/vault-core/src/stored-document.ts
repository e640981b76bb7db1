import type { z } from 'zod';
import { StoredDocumentError } from './errors.ts';

/**
 * What was read at `path`, as the type of its schema.
 *
 * @throws StoredDocumentError a ZodError would tell less about where, and its messages are not ours
 */
export function readStored<S extends z.ZodType>(schema: S, path: string, data: unknown): z.infer<S> {
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  const fields = result.error.issues.map((issue) => issue.path.join('.') || 'all of it');
  throw new StoredDocumentError(path, [...new Set(fields)]);
}
