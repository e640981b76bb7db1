import type { Injection } from '@connectors/oauth';
import { connectionOptions, isNamed, type RawHeaders } from '../injection/request-headers.ts';

const dropped = new Set([
  // For this connection only.
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // The upstream's challenge is for the credential, which the agent does not have.
  'www-authenticate',
  // These would act on the proxy's own origin, and so on every other upstream behind it.
  'set-cookie',
  'set-cookie2',
  'alt-svc',
  'clear-site-data',
  'strict-transport-security',
]);

/** Some providers put the token into the address of the next page, and one that came in a query may be echoed in any. */
const redacted = new Set(['location', 'content-location', 'link', 'refresh']);

/** What the upstream's headers become on their way to the agent. */
export function responseHeaders(
  received: readonly string[],
  injection: Pick<Injection, 'redact'>,
): RawHeaders {
  const ending = connectionOptions(received);
  const isChunked = has(received, 'transfer-encoding');
  const headers: RawHeaders = [];
  for (let i = 0; i + 1 < received.length; i += 2) {
    const name = (received[i] ?? '').toLowerCase();
    if (dropped.has(name) || name.startsWith('connectors-') || ending?.has(name)) continue;
    // RFC 9112 6.3: with both, the length is the lie.
    if (isChunked && name === 'content-length') continue;
    const value = received[i + 1] ?? '';
    headers.push(received[i] ?? '', redacted.has(name) ? injection.redact(value) : value);
  }
  return headers;
}

/** Whether a field list has a field; `name` is in lower case. */
export function has(headers: readonly string[], name: string): boolean {
  return headers.some((text, index) => index % 2 === 0 && isNamed(text, name));
}
