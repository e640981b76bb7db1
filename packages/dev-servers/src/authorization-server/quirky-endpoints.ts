import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { OAuthClient } from './configuration.ts';
import {
  quirkyAnswer,
  quirkyCallback,
  requestProblem,
  type CallbackQuirks,
  type QuirkyRequest,
  type Quirks,
} from './quirks.ts';
import { UsedRefreshTokens } from './used-refresh-tokens.ts';

export interface QuirkyServer {
  url: string;
  clients: readonly OAuthClient[];
  revokeAccessToken(token: string): Promise<void>;
  /** Of a token that is alive. */
  kindOf(token: string): Promise<'access' | 'refresh' | undefined>;
}

/** Marks the requests that the endpoints below make of the server itself. */
const insideHeader = 'x-by-the-book';

/** Puts quirky token and revocation endpoints in front of a server that does as the RFCs say. */
export function quirkyEndpoints(
  quirks: Quirks,
  server: QuirkyServer,
  byTheBook: RequestListener,
): RequestListener {
  const used = new UsedRefreshTokens();
  const accessTokens = new Map<string, string>();
  return (request, response) => {
    const { pathname } = new URL(request.url ?? '', server.url);
    const isInside = request.headers[insideHeader] !== undefined;
    const isToken = pathname === '/token' || pathname === '/token/refresh';
    const endpoint =
      isInside || request.method === 'GET'
        ? undefined
        : isToken
          ? answerTokenRequest(quirks, server, used, accessTokens, request, response)
          : pathname.startsWith('/revoke')
            ? answerRevocation(quirks, server, request, response)
            : undefined;
    if (quirks.callback !== undefined) rewriteCallbacks(quirks.callback, server, response);
    if (endpoint === undefined) byTheBook(request, response);
    // A connection that a fault cut inside is cut here as well.
    else void endpoint.catch(() => response.destroy());
  };
}

/** Redirects that lead elsewhere lead to a client. */
function rewriteCallbacks(quirks: CallbackQuirks, { url }: QuirkyServer, response: ServerResponse): void {
  const setHeader = response.setHeader.bind(response);
  response.setHeader = (name, value) => {
    const isCallback =
      name.toLowerCase() === 'location' && typeof value === 'string' && /^https?:/.test(value);
    return setHeader(
      name,
      isCallback && new URL(value).origin !== url ? quirkyCallback(quirks, value) : value,
    );
  };
}

async function answerTokenRequest(
  { request: wanted = {}, response: told = {}, rotation }: Quirks,
  server: QuirkyServer,
  used: UsedRefreshTokens,
  accessTokens: Map<string, string>,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const request = await readRequest(server, incoming);
  const problem = requestProblem(wanted, request);
  const now = Date.now();
  const send = (status: number, body: Record<string, unknown>, retryAfter?: string | null) => {
    const answer = quirkyAnswer(told, status, body, now);
    if (answer.contentType !== 'none') response.setHeader('content-type', answer.contentType);
    if (typeof retryAfter === 'string') response.setHeader('retry-after', retryAfter);
    response.writeHead(answer.status).end(answer.text);
  };
  if (problem !== undefined) return send(400, { error: 'invalid_request', error_description: problem });
  const parameters = { ...request.query, ...request.body };
  const token = parameters['refresh_token'];
  const before = token === undefined ? undefined : used.answerAgain(rotation, token, now);
  if (before !== undefined) return send(200, before);

  const spent = token === undefined ? undefined : used.current(rotation, token);
  const inside = await ask(server, '/token', {
    ...parameters,
    grant_type: token === undefined ? 'authorization_code' : 'refresh_token',
    ...(spent === undefined ? {} : { refresh_token: spent }),
    ...clientOf(server, request),
  });
  const body = (await inside.json()) as Record<string, unknown>;
  if (inside.status !== 200) return send(inside.status, body, inside.headers.get('retry-after'));
  if (rotation === 'endsAccessToken' && token !== undefined)
    await server.revokeAccessToken(accessTokens.get(token) ?? '');
  accessTokens.set(String(body['refresh_token']), String(body['access_token']));
  if (token === undefined || spent === undefined) return send(200, body);
  return send(200, withRefreshToken(told.refreshToken, used.replaced(rotation, token, spent, body, now)));
}

function withRefreshToken(
  form: 'omitted' | 'null' | 'empty' | undefined,
  { refresh_token: token, ...rest }: Record<string, unknown>,
): Record<string, unknown> {
  if (form === 'omitted') return rest;
  return { ...rest, refresh_token: form === 'null' ? null : form === 'empty' ? '' : token };
}

async function answerRevocation(
  { revocation: wanted = {} }: Quirks,
  server: QuirkyServer,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = 'POST', authentication = 'basic', tokenIn, parameter = 'token', ended, takes } = wanted;
  const request = await readRequest(server, incoming);
  const [client] = server.clients;
  if (client === undefined) throw new Error('there is no client');
  const authorization = request.headers['authorization'] ?? '';
  const token =
    tokenIn === 'path'
      ? decodeURIComponent(request.path.replace(/^\/revoke\/?/, ''))
      : tokenIn === undefined
        ? authorization.replace('Bearer ', '')
        : (request.body[parameter] ?? '');
  const expected = {
    basic: basic(client.clientId, client.clientSecret),
    clientScheme: `Client ${client.clientSecret}`,
    bearer: `Bearer ${token}`,
    none: '',
  }[authentication];
  const isAsWanted =
    incoming.method === method && authorization === expected && request.isJson === (tokenIn === 'json');
  const send = (status: number, body: unknown = {}) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (!isAsWanted || token === '') return void send(400, { error: 'invalid_request' });
  const kind = await server.kindOf(token);
  if (kind === undefined) return void send(ended?.status ?? 200, ended?.body);
  if (takes !== undefined && takes !== kind) return void send(400, { error: 'unsupported_token_type' });
  const inside = await ask(server, '/token/revocation', {
    token,
    client_id: client.clientId,
    client_secret: client.clientSecret,
  });
  send(inside.status);
}

async function ask(
  server: QuirkyServer,
  path: string,
  parameters: Record<string, string>,
): Promise<Response> {
  const { client_id: id = '', client_secret: secret = '', ...rest } = parameters;
  return await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { authorization: basic(id, secret), [insideHeader]: '1' },
    body: new URLSearchParams(rest),
  });
}

/** The client of a request, however it names itself. */
function clientOf(
  { clients }: QuirkyServer,
  { headers, query, body }: QuirkyRequest,
): Record<string, string> {
  const [user = '', password = ''] = Buffer.from(
    headers['authorization']?.replace('Basic ', '') ?? '',
    'base64',
  )
    .toString()
    .split(':')
    .map(decodeURIComponent);
  const { client_id: id = user, client_secret: secret = password || user } = { ...query, ...body };
  const known = clients.find(({ clientSecret }) => clientSecret === secret);
  const isNamed = id === known?.clientId || id === secret || id === '';
  return { client_id: isNamed ? (known?.clientId ?? id) : id, client_secret: secret };
}

async function readRequest({ url }: QuirkyServer, incoming: IncomingMessage): Promise<QuirkyRequest> {
  const { pathname, searchParams } = new URL(incoming.url ?? '', url);
  const isJson = incoming.headers['content-type']?.startsWith('application/json') === true;
  const content = await text(incoming);
  const body = isJson
    ? (JSON.parse(content) as Record<string, string>)
    : Object.fromEntries(new URLSearchParams(content));
  const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]);
  return {
    path: pathname,
    headers: Object.fromEntries(headers) as Record<string, string>,
    query: Object.fromEntries(searchParams),
    body,
    isJson,
  };
}

function basic(user: string, password: string): string {
  const encoded = [user, password].map((part) => new URLSearchParams([['', part]]).toString().slice(1));
  return `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`;
}
