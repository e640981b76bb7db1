import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';

/** A request as node-vault hands it to its transport. */
interface VaultRequest {
  method: string;
  uri: string;
  headers: Record<string, string>;
  json?: unknown;
  /** Milliseconds, in place of {@link TransportOptions.timeoutMs}. */
  timeout?: number;
}

interface VaultResponse {
  statusCode: number;
  body: object;
  request: { path: string };
}

export interface TransportOptions {
  /** Milliseconds for one whole exchange with Vault. */
  timeoutMs: number;
  /** Path of a PEM file with the CA of Vault's certificate. */
  caFile?: string;
}

/**
 * The HTTP side of node-vault, in place of its axios: one keep-alive pool also under TLS (axios opens a connection
 * per request once a CA is given), certificates always verified (`VAULT_SKIP_VERIFY=false` disables verification
 * there, as NODE_TLS_REJECT_UNAUTHORIZED does for all of Node), a timeout, and no detour through `HTTP_PROXY`, which would see every token.
 */
export function createTransport(options: TransportOptions) {
  const pool = new Agent({
    keepAliveTimeout: 30_000,
    connect: {
      rejectUnauthorized: true,
      ...(options.caFile === undefined ? {} : { ca: readFileSync(options.caFile, 'utf8') }),
    },
  });

  async function send({ method, uri, headers, json, timeout }: VaultRequest): Promise<VaultResponse> {
    const impatience = new AbortController();
    // Not AbortSignal.timeout: its timer outlives the exchange.
    const timer = setTimeout(() => impatience.abort(), timeout ?? options.timeoutMs);
    try {
      const response = await request(uri, {
        dispatcher: pool,
        method: method as 'GET',
        headers: json === undefined ? headers : { 'content-type': 'application/json', ...headers },
        body: json === undefined ? null : JSON.stringify(json),
        signal: impatience.signal,
      });
      const body = parseBody(await response.body.text());
      if (body === undefined && response.statusCode < 300) throw new Error('This is not an answer of Vault');
      // node-vault takes every answer to a path that contains `sys/health` for a success, also that of a tenant `sys`.
      return { statusCode: response.statusCode, body: body ?? {}, request: { path: '' } };
    } finally {
      clearTimeout(timer);
    }
  }

  return { send, close: () => pool.destroy() };
}

/** `undefined` if it is not a JSON object: a load balancer in front of Vault may answer with HTML. */
function parseBody(text: string): object | undefined {
  if (text === '') return {};
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? body : undefined;
  } catch {
    return undefined;
  }
}
