import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';

/** What Vault answered, raw; or why it did not. */
export type VaultAnswer =
  | { status: number; body: Record<string, unknown> }
  /** The code of the error, such as `ECONNREFUSED`. */
  | { status: undefined; problem: string };

/** By the code of the error. */
export function fixOfSilence(problem: string): string {
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH/.test(problem))
    return 'Give Vault a certificate: it speaks plain http there. On one machine alone, let VAULT_ADDR begin with http://';
  if (/ALTNAME/.test(problem)) return 'Let VAULT_ADDR have a name that the certificate of Vault is for';
  if (/EXPIRED|NOT_YET_VALID/.test(problem)) return 'Renew the certificate of Vault, or set the clocks';
  if (/CERT|SIGNATURE|SSL|TLS/.test(problem))
    return 'Let VAULT_CACERT name the PEM file of the CA that signed the certificate of Vault';
  return 'Start that Vault, or correct VAULT_ADDR';
}

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
