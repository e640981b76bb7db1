import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';

/** A request as node-vault hands it to its transport. */
interface VaultRequest {
  method: string;
  uri: string;
  headers: Record<string, string>;
  json?: unknown;
}

interface VaultResponse {
  statusCode: number;
  body: unknown;
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
 * there), a timeout, and no detour through `HTTP_PROXY`, which would see every token.
 */
export function createTransport(options: TransportOptions) {
  const pool = new Agent({
    keepAliveTimeout: 30_000,
    connect: options.caFile === undefined ? {} : { ca: readFileSync(options.caFile, 'utf8') },
  });

  async function send({ method, uri, headers, json }: VaultRequest): Promise<VaultResponse> {
    const response = await request(uri, {
      dispatcher: pool,
      method: method as 'GET',
      headers: json === undefined ? headers : { 'content-type': 'application/json', ...headers },
      body: json === undefined ? null : JSON.stringify(json),
      signal: AbortSignal.timeout(options.timeoutMs),
    });
    const text = await response.body.text();
    return {
      statusCode: response.statusCode,
      body: parseBody(text),
      request: { path: new URL(uri).pathname },
    };
  }

  return { send, close: () => pool.destroy() };
}

/** A load balancer in front of Vault may answer HTML: that is a body without `errors`, not a crash. */
function parseBody(text: string): unknown {
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
