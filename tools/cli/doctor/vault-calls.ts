import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';

/** What Vault answered, raw; or why it did not. */
export type VaultAnswer =
  | { status: number; body: Record<string, unknown> }
  /** The code of the error, such as `ECONNREFUSED`. */
  | { status: undefined; problem: string };

export interface VaultCalls {
  call(method: 'GET' | 'POST' | 'DELETE', path: string, token?: string, body?: object): Promise<VaultAnswer>;
  close(): Promise<void>;
}

/** Calls of Vault as they are: one try each, and every answer is one. */
export function openVaultCalls(address: string, caFile: string | undefined, timeoutMs: number): VaultCalls {
  const connect = caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8') };
  const dispatcher = new Agent({ connect: { rejectUnauthorized: true, ...connect } });
  return {
    async call(method, path, token, body) {
      try {
        const response = await request(`${address}/v1/${path}`, {
          dispatcher,
          method,
          headers: token === undefined ? {} : { 'x-vault-token': token },
          body: body === undefined ? null : JSON.stringify(body),
          signal: AbortSignal.timeout(timeoutMs),
        });
        const text = await response.body.text();
        return {
          status: response.statusCode,
          body: text === '' ? {} : (JSON.parse(text) as object as never),
        };
      } catch (error) {
        const { code, name } = error as { code?: unknown; name: string };
        return { status: undefined, problem: typeof code === 'string' ? code : name };
      }
    },
    close: () => dispatcher.destroy(),
  };
}
