import { Secret } from '@connectors/vault-core';
import type { CredentialFields } from './credential-fields.ts';
import type { ReadyIntegration } from './integration.ts';
import { fieldsTold, inCallback } from './told-fields.ts';
import { errorName } from './token-failure.ts';

/** What a provider's redirect back to us says. */
export type Callback =
  | { kind: 'code'; code: Secret; fields: CredentialFields }
  /** RFC 6749 4.1.2.1. `error` is a code, safe to log. */
  | { kind: 'refused'; error: string }
  /** It is not from the authorization server that the user was sent to. */
  | { kind: 'wrong_issuer' };

/** Judges the query of a callback. Whose it is, and whether we sent that user away, only the `state` can tell. */
export function readCallback({ provider }: ReadyIntegration, query: URLSearchParams): Callback {
  // RFC 6749 3.1: none may come twice. Which one is meant would be for each reader to guess.
  if (['code', 'state', 'iss', 'error'].some((name) => query.getAll(name).length > 1))
    return { kind: 'refused', error: 'invalid_request' };
  if (!isFromIssuer(provider, query.get('iss'))) return { kind: 'wrong_issuer' };
  const error = query.get('error');
  if (error !== null) return { kind: 'refused', error: errorName(error) };
  const code = query.get('code') ?? '';
  // Without a state nobody has asked for it.
  if (code === '' || !query.get('state')) return { kind: 'refused', error: 'invalid_request' };
  const decoded = provider.codeEncodedTwice ? decodeOnce(code) : code;
  return { kind: 'code', code: new Secret(decoded), fields: fieldsTold(provider, inCallback(query)) };
}

/** RFC 9207 2.4. */
function isFromIssuer({ issuer, namesIssuer }: ReadyIntegration['provider'], named: string | null): boolean {
  if (named === null) return !namesIssuer;
  return issuer === undefined || named === issuer;
}

function decodeOnce(code: string): string {
  try {
    return decodeURIComponent(code);
  } catch {
    return code;
  }
}
