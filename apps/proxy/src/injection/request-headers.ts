import { headerKey, type Injection } from '@connectors/oauth';

/** A header field list as it is on the wire: name, value, name, value. Order and repetition are kept. */
export type RawHeaders = string[];

const dropped = new Set([
  // RFC 9110 7.6.1: for this connection only. undici writes its own.
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'host',
  'content-length',
  // Answered by us.
  'expect',
  // The agent's own credentials are for us, not for the upstream.
  'authorization',
  'cookie',
  'cookie2',
  // Where the agent is, or claims to be, is none of the upstream's business.
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  // Some frameworks take the path from these, and so out of the integration's base path.
  'x-original-url',
  'x-rewrite-url',
  // To some frameworks these are the method, whatever the request line says.
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  // Ours.
  'x-tenant-id',
  'x-request-id',
]);
const droppedPrefix = /^(?:proxy-|x-forwarded-|connectors-)/;

/** What the agent's headers become at the upstream. What is injected wins over whatever the agent sent. */
export function requestHeaders(
  received: readonly string[],
  injection: Pick<Injection, 'names' | 'defaults' | 'headers'>,
): RawHeaders {
  const ending = connectionOptions(received);
  const headers: RawHeaders = [];
  const present = injection.defaults.length === 0 ? undefined : new Set<string>();
  for (let i = 0; i + 1 < received.length; i += 2) {
    const name = (received[i] ?? '').toLowerCase();
    const key = headerKey(name);
    if (injection.names.has(key) || isDropped(key) || ending?.has(name)) continue;
    present?.add(key);
    headers.push(received[i] ?? '', received[i + 1] ?? '');
  }
  for (const { key, name, value } of injection.defaults) {
    if (!present?.has(key)) headers.push(name, value);
  }
  headers.push(...injection.headers());
  return headers;
}

function isDropped(name: string): boolean {
  return dropped.has(name) || droppedPrefix.test(name);
}

/** The fields that `Connection` names: they end here, as it does. Most messages name none. */
export function connectionOptions(headers: readonly string[]): Set<string> | undefined {
  let named: Set<string> | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (!isNamed(headers[i], 'connection')) continue;
    const value = headers[i + 1] ?? '';
    if (value === 'keep-alive' || value === 'close') continue;
    named ??= new Set();
    for (const option of value.split(',')) named.add(option.trim().toLowerCase());
  }
  return named;
}

/** Whether a field's name is this one, which is in lower case. */
export function isNamed(text: string | undefined, name: string): boolean {
  // Nearly all others differ in length, which costs nothing to see.
  return text?.length === name.length && text.toLowerCase() === name;
}
