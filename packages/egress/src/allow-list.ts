import { isIPv6 } from 'node:net';

/** The hosts that an operator trusts by name, each with the ports on which it may be reached. */
export class AllowList {
  readonly #ports = new Map<string, Set<string> | 'any'>();

  /** @throws {TypeError} naming the entry that is neither `host` nor `host:port` */
  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const { host, port } = parseEntry(entry);
      const known = this.#ports.get(host);
      if (port === undefined) this.#ports.set(host, 'any');
      else if (known === undefined) this.#ports.set(host, new Set([port]));
      else if (known !== 'any') known.add(port);
    }
  }

  has(host: string): boolean {
    return this.#ports.has(host);
  }

  hasPort(host: string, port: string): boolean {
    const ports = this.#ports.get(host);
    return ports === 'any' || ports?.has(port) === true;
  }
}

/** One spelling per host: lower case, without IPv6 brackets and without the dot of the root zone. */
export function canonicalHost(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

function parseEntry(entry: string): { host: string; port: string | undefined } {
  const parts = isIPv6(entry) ? [entry, entry] : /^(\[[^\]]+\]|[^:/?#@\s]+)(?::(\d{1,5}))?$/.exec(entry);
  const [, name, port] = parts ?? [];
  const authority = name !== undefined && isIPv6(name) ? `[${name}]` : name;
  const url = authority === undefined ? null : URL.parse(`http://${authority}`);
  if (url === null) throw new TypeError(`Egress allow list: '${entry}' is neither 'host' nor 'host:port'`);
  return { host: canonicalHost(url.hostname), port: port === undefined ? undefined : String(Number(port)) };
}
