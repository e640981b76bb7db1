import { Secret } from '@connectors/vault-core';
import type { CredentialFields } from './credential-fields.ts';
import type { Provider } from './provider.ts';
import type { ProviderAnswer } from './provider-call.ts';
import { fieldsTold, inResponse } from './told-fields.ts';
import { readFailure, serverTime } from './token-failure.ts';
import type { TokenFailure } from './token-failure.ts';

/** What a provider granted. A field that is undefined was left out: what was stored or asked for stays. */
export interface TokenSet {
  accessToken: Secret;
  refreshToken: Secret | undefined;
  /** Undefined: the token does not expire as far as we know. */
  expiresAt: Date | undefined;
  /**
   * Of the refresh token above or, if that was left out, of the one that was used. Undefined: it lives as long as it is
   * not revoked, as far as we know.
   */
  refreshTokenExpiresAt?: Date | undefined;
  scopes: string[] | undefined;
  tokenType: string;
  /** What the response says of the fields of the credential; absent if nothing. */
  fields?: CredentialFields;
}

export type TokenResult = { kind: 'tokens'; tokens: TokenSet } | { kind: 'failure'; failure: TokenFailure };

/**
 * Judges the answer of a token endpoint: tokens if a 2xx holds a usable access token, else why not.
 *
 * @param after what was asked for: only with a `consent` does the lifetime of a grant as a whole begin
 */
export function readTokenResponse(
  provider: Provider,
  answer: ProviderAnswer,
  after: 'consent' | 'refresh' = 'refresh',
): TokenResult {
  const { responseFields: names, tokensIn = '' } = provider;
  const whole = parseBody(answer);
  const body = asObject(whole[tokensIn]) ?? whole;
  const accessToken = readToken(body[names.accessToken]);
  if (answer.status < 200 || answer.status > 299 || accessToken === undefined) {
    return { kind: 'failure', failure: readFailure(provider, answer, errorOf(provider, whole)) };
  }
  const fields = fieldsTold(provider, inResponse(whole));
  const tokens: TokenSet = {
    accessToken,
    refreshToken: readToken(body[names.refreshToken]),
    expiresAt: readExpiry(provider, body, answer),
    refreshTokenExpiresAt: readRefreshTokenExpiry(provider, body, answer, after),
    scopes: readScopes(body[names.scope], provider.grantedScopeSeparator),
    tokenType: readTokenType(body['token_type']),
    ...(Object.keys(fields).length === 0 ? {} : { fields }),
  };
  return { kind: 'tokens', tokens };
}

/** The provider's own word for what went wrong. */
export function errorOf({ responseFields }: Pick<Provider, 'responseFields'>, body: Body): unknown {
  const own = body[responseFields.error];
  return typeof own === 'string' ? own : body['error'];
}

type Body = Readonly<Record<string, unknown>>;

/** JSON whatever the content type says; form-encoded only if it says so. Anything else is an empty object. */
export function parseBody({ body, headers }: ProviderAnswer): Body {
  const text = body.reveal();
  if (headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true) {
    return Object.fromEntries(new URLSearchParams(text));
  }
  try {
    return asObject(JSON.parse(text, keepDigits)) ?? {};
  } catch {
    return {};
  }
}

/** Ids beyond 2^53 would lose their last digits as numbers. */
function keepDigits(_name: string, value: unknown, { source = '' }: { source?: string } = {}): unknown {
  return typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source) ? source : value;
}

function asObject(value: unknown): Body | undefined {
  return typeof value === 'object' && value !== null ? { ...value } : undefined;
}

/** RFC 6749 A.12: visible ASCII. Anything else could split the header it is put into. */
function readToken(value: unknown): Secret | undefined {
  return typeof value === 'string' && /^[\x20-\x7e]+$/.test(value) ? new Secret(value) : undefined;
}

/** Seconds. A lifetime beyond this (about 30 years) is a point in time, written into the wrong field. */
const maxLifetime = 1_000_000_000;

function readExpiry(provider: Provider, body: Body, answer: ProviderAnswer): Date | undefined {
  const { expiresIn, expiresAt } = provider.responseFields;
  const told = readLifetime(body[expiresIn], body[expiresAt], answer);
  return endAfter(told ?? provider.assumedLifetime, answer);
}

/** Each provider has its own name for it, and none of them is the lifetime of the access token. */
function readRefreshTokenExpiry(
  { refreshTokenIdleLifetime: idle = Infinity, refreshTokenLifetime: whole = Infinity }: Provider,
  body: Body,
  answer: ProviderAnswer,
  after: 'consent' | 'refresh',
): Date | undefined {
  const relative =
    body['refresh_token_expires_in'] ?? body['refresh_expires_in'] ?? body['x_refresh_token_expires_in'];
  // What Keycloak says of tokens that do not expire.
  if (readNumber(relative) === 0) return undefined;
  const told = readLifetime(relative, body['refresh_token_expires_at'], answer);
  const usual = after === 'consent' ? Math.min(idle, whole) : idle;
  return endAfter(told ?? (usual === Infinity ? undefined : usual), answer);
}

/** A lifetime counts from when the answer came; a point in time is first corrected by the provider's clock. */
function readLifetime(
  relative: unknown,
  absolute: unknown,
  { headers, receivedAt }: ProviderAnswer,
): number | undefined {
  const told = readNumber(relative);
  const sinceAnswer = readInstant(told ?? absolute) - serverTime(headers.date, receivedAt);
  return validLifetime(told) ?? validLifetime(sinceAnswer / 1000);
}

function endAfter(lifetime: number | undefined, { receivedAt }: ProviderAnswer): Date | undefined {
  return lifetime === undefined ? undefined : new Date(receivedAt + Math.round(lifetime * 1000));
}

/** Zero, negative and non-numbers say nothing: taken at their word they would make a loop of refreshes. */
function validLifetime(seconds: number | undefined): number | undefined {
  return seconds !== undefined && seconds > 0 && seconds < maxLifetime ? seconds : undefined;
}

function readNumber(value: unknown): number | undefined {
  const isNumeric =
    typeof value === 'number' || (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value.trim()));
  return isNumeric ? Number(value) : undefined;
}

/** Milliseconds, from epoch seconds or milliseconds or ISO 8601; NaN if none of them. */
function readInstant(value: unknown): number {
  const told = readNumber(value);
  // As seconds, what is later than the year 5000 are milliseconds.
  if (told !== undefined) return told > 100_000_000_000 ? told : told * 1000;
  return typeof value === 'string' ? Date.parse(value) : Number.NaN;
}

/** No scope holds a space (RFC 6749 3.3), so one divides them wherever another sign does. */
function readScopes(value: unknown, separator: ' ' | ','): string[] | undefined {
  const parts: unknown[] =
    typeof value === 'string'
      ? value.split(separator === ' ' ? ' ' : /[ ,]/)
      : Array.isArray(value)
        ? value
        : [];
  const scopes = parts.filter((part) => typeof part === 'string').map((part) => part.trim());
  const named = scopes.filter((scope) => scope !== '');
  return named.length === 0 ? undefined : named;
}

/** Shown, never sent: the scheme of a request comes from the provider's definition. */
function readTokenType(value: unknown): string {
  if (typeof value !== 'string' || !/^[A-Za-z0-9_-]{1,32}$/.test(value)) return 'Bearer';
  return value.toLowerCase() === 'bearer' ? 'Bearer' : value;
}
