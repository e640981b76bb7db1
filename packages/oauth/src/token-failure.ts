import { assertionValidity } from './assertion.ts';
import { isMinted } from './provider.ts';
import type { Provider } from './provider.ts';
import type { FailureClass } from './provider-fields.ts';
import type { CallFailure, ProviderAnswer, TokenRequestError } from './provider-call.ts';

/** Why there are no new tokens, and what that means for the credential. Safe to log and to show. */
export interface TokenFailure {
  class: FailureClass;
  /** The OAuth error code if it looks like one, else `unrecognised`, `http_{status}`, or our own word. */
  reason: string;
  /** Whether the refresh token may have been spent although we have no new one (RFC 9700 4.14). */
  mayHaveRotated: boolean;
  retryAfterMs?: number;
}

/** The error codes of RFC 6749 5.2 and those that are in common use. */
const oauthErrors: Readonly<Record<string, FailureClass>> = {
  invalid_grant: 'permanent',
  invalid_client: 'operator',
  invalid_request: 'operator',
  invalid_scope: 'operator',
  invalid_target: 'operator',
  unauthorized_client: 'operator',
  unsupported_grant_type: 'operator',
  // Some servers say this for a wrong client secret.
  access_denied: 'operator',
  server_error: 'transient',
  temporarily_unavailable: 'transient',
  slow_down: 'throttled',
  rate_limited: 'throttled',
  rate_limit_exceeded: 'throttled',
  too_many_requests: 'throttled',
};

/** Only these statuses can carry a verdict about the grant: a gateway's 404 or 302 cannot. */
const verdictStatuses: ReadonlySet<number> = new Set([200, 400, 401, 403]);

/** Milliseconds; what a provider asks for beyond a day is taken for a mistake. */
const maxRetryAfterMs = 24 * 60 * 60 * 1000;

/**
 * Judges an answer that brought no tokens. Rules, the first that fits:
 *
 * | answer | class |
 * |---|---|
 * | 429 | throttled |
 * | 408, 425, 5xx, whatever the body says | transient |
 * | a code that the provider's definition or RFC 6749 knows | as listed; permanent only with 200, 400, 401, 403 |
 * | an error code nobody knows | operator |
 * | 4xx without a code, with Retry-After | throttled |
 * | 2xx without a code: cut, HTML, no token | lost_response; transient where refresh tokens do not rotate |
 * | everything else (3xx, 404, a gateway's page) | operator |
 *
 * An assertion that was signed by a clock that is wrong gets `invalid_grant`, too: then it is the operator's.
 * A user's credential is given up only on the provider's own word.
 */
export function readFailure(provider: Provider, answer: ProviderAnswer, error: unknown): TokenFailure {
  const { status } = answer;
  const code = typeof error === 'string' && error !== '' ? error : undefined;
  const retryAfterMs = readRetryAfter(answer);
  const skewed = provider.grant === 'jwt_bearer' && code === 'invalid_grant' && hasOtherClock(answer);
  if (skewed) return { class: 'operator', reason: 'clock_skew', mayHaveRotated: false };
  const unreadable = status >= 200 && status < 300 && code === undefined;
  return {
    class: classify(provider, status, code, retryAfterMs),
    reason: code === undefined ? (unreadable ? 'unreadable_response' : `http_${status}`) : errorName(code),
    mayHaveRotated: mayRotate(provider) && (unreadable || status === 408 || status >= 500),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function classify(
  provider: Provider,
  status: number,
  code: string | undefined,
  retryAfterMs: number | undefined,
): FailureClass {
  if (status === 429) return 'throttled';
  if (status === 408 || status === 425 || status >= 500) return 'transient';
  if (code !== undefined) {
    const known = lookUp(provider.errors, code) ?? lookUp(oauthErrors, code) ?? 'operator';
    return known === 'permanent' && !verdictStatuses.has(status) ? 'operator' : known;
  }
  if (status >= 400 && retryAfterMs !== undefined) return 'throttled';
  if (status >= 200 && status < 300) return mayRotate(provider) ? 'lost_response' : 'transient';
  return 'operator';
}

const operatorsFailures: ReadonlySet<CallFailure> = new Set([
  'egress_refused',
  'client_secret_missing',
  'private_key_missing',
  'private_key_invalid',
  'fields_invalid',
  'discovery_invalid',
]);

/** Classifies a request that got no complete answer. */
export function readRequestError(provider: Provider, { code, sent }: TokenRequestError): TokenFailure {
  const mayHaveRotated = sent === 'maybe' && mayRotate(provider);
  const lost = code === 'connection_lost' || code === 'response_cut' || code === 'response_too_large';
  return {
    class: operatorsFailures.has(code) ? 'operator' : lost && mayHaveRotated ? 'lost_response' : 'transient',
    reason: code,
    mayHaveRotated,
  };
}

/** Whether asking again later may help although nobody has changed anything. */
export function isPassing({ class: kind }: Pick<TokenFailure, 'class'>): boolean {
  return kind === 'transient' || kind === 'throttled' || kind === 'lost_response';
}

function mayRotate(provider: Provider): boolean {
  return provider.refreshTokenRotates && !isMinted(provider);
}

function lookUp(table: Readonly<Record<string, FailureClass>>, code: string): FailureClass | undefined {
  return Object.hasOwn(table, code) ? table[code] : undefined;
}

/** The provider's own code, if it looks like one. */
export function errorName(code: string): string {
  // Never in mixed case, as tokens are.
  return /^(?:[a-z0-9_]{1,64}|[A-Z0-9_]{1,64})$/.test(code) ? code.toLowerCase() : 'unrecognised';
}

/** Whether an assertion of ours cannot have been valid on the provider's clock. */
function hasOtherClock({ headers, receivedAt }: ProviderAnswer): boolean {
  return Math.abs(serverTime(headers.date, receivedAt) - receivedAt) >= assertionValidity * 1000;
}

/**
 * How many milliseconds an answer asks to wait: Retry-After is seconds or an HTTP date (RFC 9110 10.2.3); a date is
 * measured against the server's own clock.
 */
export function readRetryAfter({
  headers,
  receivedAt,
}: Pick<ProviderAnswer, 'headers' | 'receivedAt'>): number | undefined {
  const value = headers['retry-after']?.trim() ?? '';
  const seconds = /^\d+$/.test(value) ? Number(value) : undefined;
  const date = /^[A-Z]/i.test(value) ? Date.parse(value) : Number.NaN;
  const ms = seconds === undefined ? date - serverTime(headers.date, receivedAt) : seconds * 1000;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), maxRetryAfterMs);
}

/** The provider's clock when it answered, in milliseconds; ours if it does not tell. */
export function serverTime(date: string | undefined, receivedAt: number): number {
  const told = Date.parse(date ?? '');
  return Number.isNaN(told) ? receivedAt : told;
}
