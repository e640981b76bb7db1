import { fits } from './credential-fields.ts';
import type { CredentialFields } from './credential-fields.ts';
import type { Provider } from './provider.ts';

/** Those fields of a credential that its token response tells, as far as they fit their rules. */
export function fieldsTold({ fields }: Pick<Provider, 'fields'>, body: unknown): CredentialFields {
  const told: Record<string, string> = {};
  for (const [name, { pattern, from }] of Object.entries(fields)) {
    if (from === undefined || !('response' in from)) continue;
    const text = valueAt(body, from.response);
    const value = from.part === 'host' && text !== undefined ? URL.parse(text)?.host : text;
    if (value !== undefined && fits(value, pattern)) told[name] = value;
  }
  return told;
}

/** What stands in an object where a path with dots leads; a number as its digits. */
function valueAt(body: unknown, path: string): string | undefined {
  let value = body;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
