import type { ProviderAccount } from '@connectors/vault-core';
import { fits } from './credential-fields.ts';
import type { CredentialFields } from './credential-fields.ts';
import type { ValueSource } from './field-rule.ts';
import type { Provider } from './provider.ts';

/** The value of a source, if it is known here. */
export type Teller = (source: ValueSource) => string | undefined;

/** The fields of a credential that are found here and satisfy their rules. */
export function fieldsTold({ fields }: Pick<Provider, 'fields'>, tell: Teller): CredentialFields {
  const told: Record<string, string> = {};
  for (const [name, { pattern, from }] of Object.entries(fields)) {
    const value = from && partOf(from, tell(from));
    if (value !== undefined && fits(value, pattern)) told[name] = value;
  }
  return told;
}

/** Whose credential it is, if that is found here. */
export function accountTold(
  { account }: Pick<Provider, 'account'>,
  tell: Teller,
): ProviderAccount | undefined {
  if (account === undefined) return undefined;
  return toAccount(tell(account.id), account.name && tell(account.name));
}

/** An account as it is stored and shown; `undefined` if its id is not valid. */
export function toAccount(id: unknown, name: unknown): ProviderAccount | undefined {
  if (typeof id !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(id)) return undefined;
  const shown =
    typeof name === 'string'
      ? name
          .replaceAll(/[\p{Cc}\p{Cf}]/gu, '')
          .trim()
          .slice(0, 200)
      : '';
  return { id, ...(shown === '' ? {} : { name: shown }) };
}

/** What the body of a token response says. */
export function inResponse(body: unknown): Teller {
  return (source) => ('response' in source ? valueAt(body, source.response) : undefined);
}

/** What the query of a callback says. */
export function inCallback(query: URLSearchParams): Teller {
  return (source) => ('callback' in source ? (query.get(source.callback) ?? undefined) : undefined);
}

/** The part of a value that is meant: of a URL, perhaps only its host. */
export function partOf({ part }: ValueSource, text: string | undefined): string | undefined {
  return part === 'host' && text !== undefined ? URL.parse(text)?.host : text;
}

/** The value at a dotted path in an object; a number as its digits, a boolean as its word. */
export function valueAt(body: unknown, path: string): string | undefined {
  const value = path
    .split('.')
    .reduce<unknown>(
      (within, name) =>
        typeof within === 'object' && within !== null && Object.hasOwn(within, name)
          ? (within as Record<string, unknown>)[name]
          : undefined,
      body,
    );
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
}
