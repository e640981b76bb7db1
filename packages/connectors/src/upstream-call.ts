import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { EgressRefusedError, climbs, type EgressGuard } from '@connectors/egress';
import { headerKey, requestTarget, type CredentialUse } from '@connectors/oauth';
import { ConnectorsError, type ErrorCode } from '@connectors/vault-core';
import got, { RequestError } from 'got';

/** A request to an integration's API, in a tenant's name. */
export interface ProxyRequest {
  tenantId: string;
  integration: string;
  method: string;
  /** Below the base URL of the integration; begins with a slash. */
  path: string;
  headers?: Readonly<Record<string, string>>;
  query?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  /** Text and bytes are sent as they are, anything else as JSON. */
  body?: unknown;
}

/** A request that is complete except for what the credential adds. */
export interface PreparedCall {
  method: string;
  path: string;
  /** Empty, or from the question mark on. */
  query: string;
  /** By name in lower case. */
  headers: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
}

/** The API's raw answer. */
export interface UpstreamAnswer {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Uint8Array;
  /** When it was complete, in milliseconds. */
  receivedAt: number;
}

/** Headers that belong to the connection, or that are set here. */
const ours = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'authorization',
  'cookie',
  'proxy-authorization',
]);

/** @throws ConnectorsError `invalid_request` */
export function prepareCall(request: ProxyRequest): PreparedCall {
  const { method, path: pathAndQuery, query = {}, headers = {}, body } = request;
  const [path = '', written = ''] = pathAndQuery.split(/\?(.*)/s);
  if (!/^[A-Za-z]+$/.test(method)) throw new ConnectorsError('invalid_request', 'method must be a word');
  if (!path.startsWith('/') || pathAndQuery.includes('#') || climbs(path)) {
    const rule = 'path must begin with one slash, and hold no `.` or `..` segments, backslashes or fragment';
    throw new ConnectorsError('invalid_request', rule);
  }
  const search = [written, searchOf(query)].filter((part) => part !== '').join('&');
  const kept = Object.entries(headers)
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !ours.has(headerKey(name)));
  const isPlain = typeof body === 'string' || body instanceof Uint8Array;
  return {
    method: method.toUpperCase(),
    path,
    query: search === '' ? '' : `?${search}`,
    headers: {
      ...(body === undefined || isPlain ? {} : { 'content-type': 'application/json' }),
      ...Object.fromEntries(kept),
    },
    ...(body === undefined ? {} : { body: isPlain ? body : JSON.stringify(body) }),
  };
}

function searchOf(query: NonNullable<ProxyRequest['query']>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one));
  return search.toString();
}

/** Sends requests to APIs, over connections that are kept. Redirects are not followed: the token must not follow. */
export class UpstreamCaller {
  readonly #agent = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) };
  readonly #guard: EgressGuard;
  readonly #timeoutMs: number;
  readonly #now: () => number;

  constructor(guard: EgressGuard, timeoutMs: number, now: () => number) {
    this.#guard = guard;
    this.#timeoutMs = timeoutMs;
    this.#now = now;
  }

  /** @throws ConnectorsError `upstream_unreachable`, `upstream_timeout` */
  async send(call: PreparedCall, { addresses, injection }: CredentialUse): Promise<UpstreamAnswer> {
    const { rest } = addresses;
    if (rest === undefined) throw new ConnectorsError('integration_unknown');
    const url = new URL(`${rest.origin}${requestTarget(rest, call.path, call.query, injection)}`);
    try {
      const { statusCode, headers, body } = await upstream(this.#guard.check(url), {
        method: call.method as 'GET',
        headers: withInjected(call.headers, injection),
        ...(call.body === undefined ? {} : { body: call.body }),
        agent: this.#agent,
        dnsLookup: this.#guard.lookup,
        timeout: { request: this.#timeoutMs },
      });
      return { status: statusCode, headers, body, receivedAt: this.#now() };
    } catch (error) {
      throw toUpstreamError(error);
    }
  }

  close(): void {
    this.#agent.http.destroy();
    this.#agent.https.destroy();
  }
}

const upstream = got.extend({
  allowGetBody: true,
  followRedirect: false,
  https: { rejectUnauthorized: true },
  responseType: 'buffer',
  retry: { limit: 0 },
  throwHttpErrors: false,
});

const codes: Record<string, ErrorCode> = { ETIMEDOUT: 'upstream_timeout' };

/** Without the error itself: got's hold the request, and so the token. */
function toUpstreamError(error: unknown): Error {
  if (error instanceof EgressRefusedError) {
    return new ConnectorsError('upstream_unreachable', undefined, { cause: error.code });
  }
  if (!(error instanceof RequestError)) return new ConnectorsError('internal_error');
  return new ConnectorsError(codes[error.code] ?? 'upstream_unreachable', undefined, { cause: error.code });
}

/** What is injected wins over whatever the caller sent, also under a name that only some upstreams take for the same. */
function withInjected(
  sent: PreparedCall['headers'],
  injection: CredentialUse['injection'],
): Record<string, string> {
  const kept = Object.entries(sent).filter(([name]) => !injection.names.has(headerKey(name)));
  const present = new Set(kept.map(([name]) => headerKey(name)));
  const missing = injection.defaults
    .filter(({ key }) => !present.has(key))
    .map(({ name, value }) => [name.toLowerCase(), value] as const);
  const flat = injection.headers();
  const injected = flat.flatMap((name, index) =>
    index % 2 === 0 ? [[name.toLowerCase(), flat[index + 1] ?? ''] as const] : [],
  );
  return Object.fromEntries([...missing, ...kept, ...injected]);
}
