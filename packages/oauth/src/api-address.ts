import { EgressRefusedError, type EgressGuard } from '@connectors/egress';
import { brokenFields, fillUrl, placeholders, type CredentialFields } from './credential-fields.ts';
import { injectedFields } from './injection-style.ts';
import type { Provider } from './provider.ts';

/** Whether a credential's own fields make up the host of this base URL. */
export function hasOwnHost(template: string): boolean {
  return /^[^:]+:\/\/[^/?#]*\{/.test(template);
}

/** Whether a pattern matches the whole host of a URL, its port included. */
export function isHost({ host }: URL, pattern: string): boolean {
  return new RegExp(`^(?:${pattern})$`, 'u').test(host);
}

/**
 * The base URL of an API that a credential reaches. A tenant writes the fields, so its token must not go wherever they point:
 * only to hosts of the provider.
 *
 * @returns `undefined` if they lead elsewhere
 */
export function apiAddress(
  { apiHost = '' }: Pick<Provider, 'apiHost'>,
  template: string,
  fields: CredentialFields,
  guard: Pick<EgressGuard, 'check'>,
): URL | undefined {
  try {
    const url = guard.check(fillUrl(template, fields));
    return !hasOwnHost(template) || isHost(url, apiHost) ? url : undefined;
  } catch (error) {
    if (error instanceof EgressRefusedError) return undefined;
    throw error;
  }
}

/**
 * The names of the fields without which a credential cannot be used at these base URLs, or which break their rule. They were
 * checked when they were written, perhaps by another rule.
 */
export function unusableFields(
  provider: Pick<Provider, 'fields' | 'injection'>,
  templates: readonly string[],
  fields: CredentialFields,
): string[] {
  const names = new Set([...templates.flatMap(placeholders), ...injectedFields(provider.injection)]);
  return brokenFields(provider, [...names], fields);
}
