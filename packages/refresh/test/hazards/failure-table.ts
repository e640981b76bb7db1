import type { FailureClass } from '@connectors/oauth';

/** How a provider fails to answer a refresh with tokens, and what becomes of the credential. docs/failures.md is made from it. */
export interface FailureCase {
  /** One of the catalog; `oidc` is any that does as the RFCs say. */
  provider: 'oidc' | 'github' | 'slack' | 'google';
  /** What it means, in a few words. */
  says: string;
  /** `cut`: the connection closes once the request is through. */
  answer: ProviderAnswer | 'cut';
  class: FailureClass;
  reason: string;
  /** Announced once. */
  event: 'refresh-failed' | 'refresh-retry';
  status: 'active' | 'needs_reauth';
  job: 'failed' | 'delayed';
  /** The earliest next try: after a backoff, when the provider said so (seconds), or not at all. */
  nextTry: 'never' | 'backoff' | number;
  /** What is remembered of the attempt; in doubt: the refresh token may have been rotated although we have no new one. */
  attempt: 'over' | 'in doubt' | 'live until its deadline';
}

interface ProviderAnswer {
  status: number;
  headers?: Record<string, string>;
  body?: object | string;
}

const html = { headers: { 'content-type': 'text/html' }, body: '<h1>Not the page you are looking for</h1>' };

const dead = {
  class: 'permanent',
  event: 'refresh-failed',
  status: 'needs_reauth',
  job: 'failed',
  nextTry: 'never',
  attempt: 'over',
} as const;

const alive = {
  event: 'refresh-retry',
  status: 'active',
  job: 'delayed',
  nextTry: 'backoff',
  attempt: 'over',
} as const;

export const failureTable: FailureCase[] = [
  {
    provider: 'oidc',
    says: 'the grant is gone',
    answer: { status: 400, body: { error: 'invalid_grant' } },
    ...dead,
    reason: 'invalid_grant',
  },
  {
    provider: 'github',
    says: 'the refresh token is spent or has expired',
    answer: { status: 200, body: { error: 'bad_refresh_token' } },
    ...dead,
    reason: 'bad_refresh_token',
  },
  {
    provider: 'slack',
    says: 'the refresh token is spent or was revoked',
    answer: { status: 200, body: { ok: false, error: 'invalid_refresh_token' } },
    ...dead,
    reason: 'invalid_refresh_token',
  },
  {
    provider: 'oidc',
    says: 'too many requests',
    answer: { status: 429, headers: { 'retry-after': '120' } },
    ...alive,
    class: 'throttled',
    reason: 'http_429',
    nextTry: 120,
  },
  {
    provider: 'slack',
    says: 'too many requests',
    answer: { status: 200, headers: { 'retry-after': '30' }, body: { ok: false, error: 'ratelimited' } },
    ...alive,
    class: 'throttled',
    reason: 'ratelimited',
    nextTry: 30,
  },
  {
    provider: 'oidc',
    says: 'it is down',
    answer: { status: 503 },
    ...alive,
    class: 'transient',
    reason: 'http_503',
    attempt: 'in doubt',
  },
  {
    provider: 'google',
    says: 'it is down; its refresh tokens do not rotate',
    answer: { status: 503 },
    ...alive,
    class: 'transient',
    reason: 'http_503',
  },
  {
    provider: 'oidc',
    says: 'our client id or secret is wrong',
    answer: { status: 401, body: { error: 'invalid_client' } },
    ...alive,
    class: 'operator',
    reason: 'invalid_client',
  },
  {
    provider: 'github',
    says: 'our client id or secret is wrong',
    answer: { status: 200, body: { error: 'incorrect_client_credentials' } },
    ...alive,
    class: 'operator',
    reason: 'incorrect_client_credentials',
  },
  {
    provider: 'oidc',
    says: 'there is no such address',
    answer: { status: 404, ...html },
    ...alive,
    class: 'operator',
    reason: 'http_404',
  },
  {
    provider: 'oidc',
    says: 'a firewall says no, in HTML',
    answer: { status: 403, ...html },
    ...alive,
    class: 'operator',
    reason: 'http_403',
  },
  {
    provider: 'oidc',
    says: 'a gateway fails, in HTML',
    answer: { status: 502, ...html },
    ...alive,
    class: 'transient',
    reason: 'http_502',
    attempt: 'in doubt',
  },
  {
    provider: 'oidc',
    says: 'a success in HTML, without tokens',
    answer: { status: 200, ...html },
    ...alive,
    class: 'lost_response',
    reason: 'unreadable_response',
    attempt: 'in doubt',
  },
  {
    provider: 'oidc',
    says: 'nothing: the connection closes once the request is through',
    answer: 'cut',
    ...alive,
    class: 'lost_response',
    reason: 'connection_lost',
    attempt: 'live until its deadline',
  },
];
