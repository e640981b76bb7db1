import { lookup as systemLookup } from 'node:dns';
import type { LookupAddress, LookupAllOptions } from 'node:dns';
import { isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import { AllowList, canonicalHost } from './allow-list.ts';
import { isPublicAddress } from './public-address.ts';

/** Why a connection was refused. */
export type EgressReason =
  'invalid_url' | 'not_https' | 'credentials_in_url' | 'port_not_allowed' | 'address_not_public';

/** A connection that must not be made. The message names the host and the reason, never the rest of the URL. */
export class EgressRefusedError extends Error {
  readonly code = 'egress_refused';
  readonly reason: EgressReason;
  /** Empty when the URL could not be parsed. */
  readonly host: string;

  constructor(reason: EgressReason, host: string) {
    super(`Outgoing connection refused: ${reason}${host === '' ? '' : ` (${host})`}`);
    this.name = 'EgressRefusedError';
    this.reason = reason;
    this.host = host;
  }
}

type ResolveAll = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface EgressOptions {
  /** Hosts, as `host` or `host:port`, that may be private and may be spoken to in plain http. */
  allow?: readonly string[];
  /** Looks up all addresses of a host; the system's resolver by default. */
  resolve?: ResolveAll;
}

/**
 * Keeps outgoing connections on the public internet, for addresses that configuration, a tenant or a provider names.
 * A caller needs both halves: `check` for the URL (Node asks no `lookup` for an IP literal) and `lookup` for the
 * connection. Redirects are the caller's duty: do not follow them, or `check` each new URL.
 */
export class EgressGuard {
  readonly #allowed: AllowList;
  readonly #resolve: ResolveAll;

  /** @throws {TypeError} for a malformed entry of `allow` */
  constructor(options: EgressOptions = {}) {
    this.#allowed = new AllowList(options.allow ?? []);
    this.#resolve = options.resolve ?? systemLookup;
  }

  /**
   * Parses a URL and refuses it unless it is https to a public host, or to one allowed by name.
   *
   * @returns the parsed URL, without the trailing dot that TLS names do not have
   * @throws {EgressRefusedError}
   */
  check(input: string | URL): URL {
    const url = URL.parse(String(input));
    if (url === null) throw new EgressRefusedError('invalid_url', '');
    const host = canonicalHost(url.hostname);
    const refuse = (reason: EgressReason) => new EgressRefusedError(reason, host);

    if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('not_https');
    if (url.username !== '' || url.password !== '') throw refuse('credentials_in_url');
    if (this.#allowed.has(host)) {
      // `lookup` sees no port: a host that is allowed on some ports is refused on all others here.
      if (!this.#allowed.hasPort(host, portOf(url))) throw refuse('port_not_allowed');
    } else {
      if (url.protocol !== 'https:') throw refuse('not_https');
      if (isIP(host) !== 0 && !isPublicAddress(host)) throw refuse('address_not_public');
    }
    if (url.hostname.endsWith('.')) url.hostname = host;
    return url;
  }

  /**
   * Drop-in for the `lookup` option of net, tls, http and undici and for got's `dnsLookup`. It resolves the host
   * once, refuses it if any of its addresses is not public, and hands over exactly the addresses it judged: the
   * connection goes to one of them, so an answer that changes afterwards (DNS rebinding) is never asked for.
   */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    const { all = false, ...rest } = options;
    this.#resolve(hostname, { ...rest, all: true }, (error, addresses) => {
      const refusal = error ?? this.#judge(hostname, addresses);
      const first = addresses?.[0];
      if (refusal !== null || first === undefined) callback(refusal ?? notFound(hostname), all ? [] : '', 0);
      else if (all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };

  #judge(hostname: string, addresses: LookupAddress[]): EgressRefusedError | null {
    const host = canonicalHost(hostname);
    if (this.#allowed.has(host) || addresses.every(({ address }) => isPublicAddress(address))) return null;
    return new EgressRefusedError('address_not_public', host);
  }
}

function portOf(url: URL): string {
  if (url.port !== '') return url.port;
  return url.protocol === 'https:' ? '443' : '80';
}

function notFound(hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`No address found for ${hostname}`), { code: 'ENOTFOUND' });
}
