/** How the server departs from RFC 6749 and 7009, as the servers of well-known providers do. It still works by the book inside. */
export interface Quirks {
  callback?: CallbackQuirks;
  request?: RequestQuirks;
  response?: ResponseQuirks;
  rotation?: RotationQuirk;
  revocation?: RevocationQuirks;
}

/** How users are sent back. */
export interface CallbackQuirks {
  /** As an installation that began in a marketplace is: nobody has asked for it. */
  withoutState?: boolean;
  codeEncodedTwice?: boolean;
  /** Added to the query. */
  parameters?: Record<string, string>;
  /** Left out of it. */
  without?: string[];
  /** Seconds until the code is dead; a minute unless told. */
  codeLifetime?: number;
}

/** The address of a callback, told as a server with these quirks does. */
export function quirkyCallback(quirks: CallbackQuirks, address: string): string {
  const url = new URL(address);
  const code = url.searchParams.get('code');
  for (const name of [...(quirks.withoutState === true ? ['state'] : []), ...(quirks.without ?? [])])
    url.searchParams.delete(name);
  for (const [name, value] of Object.entries(quirks.parameters ?? {})) url.searchParams.set(name, value);
  // As if it held what has to be encoded.
  if (code !== null && quirks.codeEncodedTwice === true)
    url.searchParams.set('code', code.replaceAll(/[^A-Za-z0-9]|^./g, percentEncoded));
  return url.href;
}

function percentEncoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/** What a token request must look like; any other is refused with `invalid_request`. */
export interface RequestQuirks {
  /** `query`: all but what names the client stands in the URL. */
  body?: 'json' | 'form' | 'query';
  /** `secretAsUser`: Basic with the secret as user name; `secretOnly`: the secret in the body, without an id. */
  client?: 'post' | 'basic' | 'secretAsUser' | 'secretOnly';
  headers?: Record<string, string>;
  parameters?: Record<string, string>;
  /** Refuses a grant_type. */
  withoutGrantType?: boolean;
  /** A refresh has to name the redirect URI of its connect. */
  redirectUriOnRefresh?: string;
  /** Refresh tokens are redeemed at `/token/refresh` alone. */
  separateRefresh?: boolean;
}

export interface ResponseQuirks {
  /** The status of a success. */
  status?: number;
  /** Of a success, whatever it holds; `none` leaves the header out. */
  contentType?: string;
  /** A form in place of JSON. */
  form?: boolean;
  /** The object that the tokens are put into. */
  nestedIn?: string;
  /** New names for parts of the answer. */
  rename?: Record<string, string>;
  /** How the expiry is told; left out: `expires_in` in seconds. */
  expiry?: 'none' | 'text' | 'iso' | 'epoch' | 'milliseconds' | 'instantInExpiresIn';
  scope?: 'comma' | 'array' | 'none';
  /** What a refresh has for a refresh token that did not change. */
  refreshToken?: 'omitted' | 'null' | 'empty';
  /** Added to a success, in place of what has the same name. */
  extra?: Record<string, unknown>;
  error?: ErrorQuirks;
}

interface ErrorQuirks {
  status?: number;
  /** The code in place of the RFC's. */
  codes?: Record<string, string>;
  /** `ok`: {"ok":false,"error":…}; `status`: {"status":…,"message":…}; `message`: {"message":…}. */
  shape?: 'ok' | 'status' | 'message';
}

/**
 * What becomes of a refresh token that was used: `stays`: it is good for ever; `overlaps`: a new one comes, and the old
 * one stays good; `untilUsed`: it is answered again until its successor is used; a number: again for so many milliseconds;
 * `endsAccessToken`: it is spent, and the access token of before ends with it.
 */
export type RotationQuirk = 'stays' | 'overlaps' | 'untilUsed' | 'endsAccessToken' | number;

/** Tokens are ended at `/revoke`, and no other way. */
interface RevocationQuirks {
  method?: 'POST' | 'DELETE';
  /** Who has to ask: the client (`basic`), its secret behind the word `Client`, the token itself, or nobody. */
  authentication?: 'basic' | 'clientScheme' | 'bearer' | 'none';
  /** Where the token is: a part of the path after `/revoke/`, a parameter of a form or JSON; unless it is in the header. */
  tokenIn?: 'path' | 'form' | 'json';
  parameter?: string;
  /** The kind that it takes alone. */
  takes?: 'access' | 'refresh';
  /** The answer about a token that has ended before. */
  ended?: { status: number; body?: unknown };
}

/** A token request, wherever its parts stand. */
export interface QuirkyRequest {
  path: string;
  headers: Record<string, string>;
  query: Record<string, string>;
  body: Record<string, string>;
  isJson: boolean;
}

/** What is wrong with a request, if it is not as a server with these quirks wants it. */
export function requestProblem(quirks: RequestQuirks, request: QuirkyRequest): string | undefined {
  const { query, body, headers } = request;
  const all = { ...query, ...body };
  const isRefresh = 'refresh_token' in all;
  const client = quirks.client;
  const checks: [boolean, string][] = [
    [quirks.body === 'json' && !request.isJson, 'the body is not JSON'],
    [quirks.body === 'form' && request.isJson, 'the body is no form'],
    [
      quirks.body === 'query' && ('refresh_token' in body || 'code' in body),
      'the body has what the URL should',
    ],
    [quirks.body !== 'query' && Object.keys(query).length > 0, 'the URL has a query'],
    [quirks.withoutGrantType === true && 'grant_type' in all, 'there is a grant_type'],
    [quirks.withoutGrantType !== true && !('grant_type' in all), 'there is no grant_type'],
    [client === 'basic' && !/^Basic .+/.test(headers['authorization'] ?? ''), 'the client is in no header'],
    [client === 'secretAsUser' && !isUserAlone(headers['authorization']), 'the user is not alone'],
    [client === 'post' && 'authorization' in headers, 'the client is in a header'],
    [
      (client === 'basic' || client === 'secretAsUser') && 'client_secret' in all,
      'the secret is in the body',
    ],
    [client === 'secretOnly' && 'client_id' in all, 'there is a client_id'],
    [
      isRefresh &&
        quirks.redirectUriOnRefresh !== undefined &&
        all['redirect_uri'] !== quirks.redirectUriOnRefresh,
      'the redirect URI is another',
    ],
    [
      quirks.separateRefresh === true && isRefresh !== (request.path === '/token/refresh'),
      'this is the wrong address',
    ],
    ...missing(headers, quirks.headers ?? {}),
    ...missing(all, quirks.parameters ?? {}),
  ];
  return checks.find(([isWrong]) => isWrong)?.[1];
}

function isUserAlone(authorization = ''): boolean {
  return /^[^:]+:$/.test(Buffer.from(authorization.replace('Basic ', ''), 'base64').toString());
}

function missing(given: Record<string, string>, wanted: Record<string, string>): [boolean, string][] {
  return Object.entries(wanted).map(([name, value]) => [
    given[name.toLowerCase()] !== value,
    `${name} is missing`,
  ]);
}

export interface QuirkyAnswer {
  status: number;
  contentType: string;
  text: string;
}

/** Tells an answer of the server as one with these quirks does. */
export function quirkyAnswer(
  quirks: ResponseQuirks,
  status: number,
  body: Record<string, unknown>,
  now: number,
): QuirkyAnswer {
  if (status !== 200) {
    return {
      status: quirks.error?.status ?? status,
      ...encode(quirks, quirkyError(quirks.error ?? {}, body)),
    };
  }
  const timed = withExpiry(quirks.expiry, body, now);
  const told = { ...withScope(quirks.scope, timed), ...quirks.extra };
  const renamed = Object.fromEntries(
    Object.entries(told).map(([name, value]) => [quirks.rename?.[name] ?? name, value]),
  );
  const nested = quirks.nestedIn === undefined ? renamed : { ok: true, [quirks.nestedIn]: renamed };
  const encoded = encode(quirks, nested);
  return { status: quirks.status ?? 200, ...encoded, contentType: quirks.contentType ?? encoded.contentType };
}

function quirkyError(
  { codes = {}, shape }: ErrorQuirks,
  body: Record<string, unknown>,
): Record<string, unknown> {
  const code = codes[String(body['error'])] ?? body['error'];
  const message = body['error_description'];
  if (shape === 'ok') return { ok: false, error: code };
  if (shape === 'status') return { status: code, message };
  return shape === 'message' ? { id: 'unauthorized', message } : { ...body, error: code };
}

function withExpiry(
  expiry: ResponseQuirks['expiry'],
  { expires_in: lifetime, ...rest }: Record<string, unknown>,
  now: number,
): Record<string, unknown> {
  const end = now + Number(lifetime) * 1000;
  switch (expiry) {
    case undefined:
      return { ...rest, expires_in: lifetime };
    case 'none':
      return rest;
    case 'text':
      return { ...rest, expires_in: String(lifetime) };
    case 'iso':
      return { ...rest, expires_at: new Date(end).toISOString() };
    case 'epoch':
      return { ...rest, expires_at: Math.round(end / 1000) };
    case 'milliseconds':
      return { ...rest, expires_at: end };
    case 'instantInExpiresIn':
      return { ...rest, expires_in: Math.round(end / 1000) };
  }
}

function withScope(
  form: ResponseQuirks['scope'],
  { scope, ...rest }: Record<string, unknown>,
): Record<string, unknown> {
  const scopes = String(scope).split(' ');
  if (form === 'none') return rest;
  return { ...rest, scope: form === 'comma' ? scopes.join(',') : form === 'array' ? scopes : scope };
}

function encode(
  { form }: ResponseQuirks,
  body: Record<string, unknown>,
): { contentType: string; text: string } {
  if (form !== true) return { contentType: 'application/json', text: JSON.stringify(body) };
  const pairs = Object.entries(body).map(([name, value]): [string, string] => [name, String(value)]);
  return { contentType: 'application/x-www-form-urlencoded', text: new URLSearchParams(pairs).toString() };
}
