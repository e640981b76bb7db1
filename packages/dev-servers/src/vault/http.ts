import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { posix } from 'node:path';
import { isObject, type Fields } from './fields.ts';
import { VaultError, type Operation, type VaultAnswer, type VaultRequest } from './request.ts';
import type { Seal } from './seal.ts';
import { unauthenticated } from './unauthenticated.ts';

/** Vault's own limit. */
const maxBody = 32 * 1024 * 1024;

const operations: Record<string, Operation> = {
  GET: 'read',
  POST: 'update',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** Answers one HTTP request. Never rejects. */
export async function answerHttp(
  seal: Seal,
  clock: () => number,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const body = await readBody(message);
    const url = new URL(message.url ?? '/', 'http://vault');
    const raw = (message.url ?? '/').split('?', 1)[0] ?? '/';
    const clean = posix.normalize(raw);
    if (clean !== raw) redirect(response, clean);
    else if (!clean.startsWith('/v1/')) send(response, 404, { errors: [] });
    else respond(seal, clock, message, response, decodePath(clean.slice(4)), url.searchParams, body);
  } catch (error) {
    sendError(response, error);
  }
}

function respond(
  seal: Seal,
  clock: () => number,
  message: IncomingMessage,
  response: ServerResponse,
  path: string,
  query: URLSearchParams,
  body: string,
): void {
  const method = message.method ?? 'GET';
  const fields = { ...Object.fromEntries(query), ...parseBody(body) };
  const plain = unauthenticated(seal, clock, method, path, fields);
  if (plain) {
    send(response, plain.status, plain.body);
    return;
  }
  const request = vaultRequest(message, method, path, fields);
  const answer = seal.core.handle(request);
  seal.sealIfRequested();
  sendAnswer(response, request.id, answer);
}

function vaultRequest(message: IncomingMessage, method: string, path: string, fields: Fields): VaultRequest {
  const { headers } = message;
  if (headers['x-vault-wrap-ttl'] !== undefined) {
    throw new VaultError(400, 'response wrapping is not supported here');
  }
  const operation = operations[method];
  if (!operation) throw new VaultError(405);
  // Node's HTTP parser does not know the verb LIST: `GET ?list=true` is its other form, with 1 or t for true.
  const isList = operation === 'read' && ['true', '1', 't'].includes(String(fields['list']).toLowerCase());
  if (operation === 'read') delete fields['list'];
  const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
  return {
    id: randomUUID(),
    operation: isList ? 'list' : operation,
    path: isList && !path.endsWith('/') ? `${path}/` : path,
    fields,
    contentType: headers['content-type'] ?? '',
    clientToken: String(headers['x-vault-token'] ?? bearer ?? ''),
    remoteAddress: message.socket.remoteAddress ?? '',
  };
}

async function readBody(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBody) throw new VaultError(413, 'http: request body too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parseBody(body: string): Fields {
  if (body.trim() === '') return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    // The parser's own message would quote the body.
    throw new VaultError(400, 'failed to decode JSON input');
  }
  if (parsed === null) return {};
  if (!isObject(parsed)) throw new VaultError(400, 'failed to decode JSON input: expected an object');
  return parsed;
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new VaultError(400, 'invalid URL escape');
  }
}

function sendAnswer(response: ServerResponse, id: string, answer: VaultAnswer): void {
  const isEmpty = answer.data === undefined && answer.auth === undefined && answer.warnings === undefined;
  const status = answer.status ?? (isEmpty ? 204 : 200);
  if (status === 204) {
    response.writeHead(204, headers).end();
    return;
  }
  send(response, status, {
    ...(answer.flat ? answer.data : {}),
    request_id: id,
    lease_id: '',
    renewable: false,
    lease_duration: 0,
    data: answer.data ?? null,
    wrap_info: null,
    warnings: answer.warnings ?? null,
    auth: answer.auth ?? null,
  });
}

function sendError(response: ServerResponse, error: unknown): void {
  if (error instanceof VaultError) {
    send(response, error.status, { errors: error.errors });
    return;
  }
  // Where it happened, but not its message: that may quote what was being stored.
  const frames = error instanceof Error ? (error.stack ?? '').match(/^ {4}at .*$/gm) : undefined;
  process.emitWarning(`internal error in the embedded Vault\n${frames?.join('\n') ?? ''}`);
  send(response, 500, { errors: ['internal error'] });
}

const headers = { 'Cache-Control': 'no-store', 'Content-Type': 'application/json' };

function send(response: ServerResponse, status: number, body: Fields): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(text) }).end(text);
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(307, { 'Cache-Control': 'no-store', Location: location }).end();
}
