import { once } from 'node:events';
import { Agent, request, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Problem } from '../src/routes/problem.ts';

export interface Call {
  method?: string;
  /** An object, or a flat list of names and values that is sent as it is. */
  headers?: OutgoingHttpHeaders | string[];
  body?: Buffer | string | Readable;
}

export interface Answer {
  status: number;
  statusMessage: string | undefined;
  headers: IncomingMessage['headers'];
  rawHeaders: string[];
  body: Buffer;
  text: string;
}

/** One request, its path sent as it stands: `fetch` would tidy it up. */
export async function call(base: string, path: string, options: Call = {}): Promise<Answer> {
  const response = await open(base, path, options);
  const body = await buffer(response);
  const { statusCode: status = 0, statusMessage, headers, rawHeaders } = response;
  return { status, statusMessage, headers, rawHeaders, body, text: body.toString() };
}

/** The same up to the response's headers. */
export async function open(base: string, path: string, { method = 'GET', headers = {}, body }: Call = {}) {
  const { hostname, port } = new URL(base);
  // Not `agent: false`, which asks the server to close the connection.
  const agent = new Agent({ keepAlive: true });
  const outgoing = request({
    hostname,
    port,
    path,
    method,
    headers: headers as OutgoingHttpHeaders,
    agent,
  });
  outgoing.once('close', () => agent.destroy());
  const responded = once(outgoing, 'response');
  if (body instanceof Readable)
    body.once('close', () => body.readableEnded || outgoing.destroy()).pipe(outgoing);
  else outgoing.end(body);
  const [response] = (await responded) as [IncomingMessage];
  return response;
}

export function bearer(key: string): { authorization: string } {
  return { authorization: `Bearer ${key}` };
}

/** A problem as it was answered. */
export function problemOf(answer: Answer): Problem {
  return JSON.parse(answer.text) as Problem;
}

/** What the REST upstream says it received. */
export function echoOf(answer: Answer): {
  account: string;
  tokenFingerprint: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: { bytes: number; sha256: string; text?: string };
} {
  if (answer.status !== 200) throw new Error(`answered ${answer.status}: ${answer.text}`);
  return JSON.parse(answer.text) as ReturnType<typeof echoOf>;
}
