import { setTimeout as delay } from 'node:timers/promises';
import nodeVault from 'node-vault';
import type { Secret } from '../secret.ts';
import { VaultLogin, type VaultAuth } from './login.ts';
import { createTransport } from './transport.ts';
import { toVaultError, VaultError } from './vault-error.ts';

export interface VaultConnectionOptions {
  /** For example `https://vault.example.com:8200`. */
  address: string;
  auth: VaultAuth;
  /** Milliseconds for one call, without its retries. Default 5000. */
  timeoutMs?: number;
  /** How often a call is repeated after a transient failure. Default 3. */
  maxRetries?: number;
  /** PEM file with the CA of Vault's certificate. */
  caFile?: string;
  now?: () => number;
}

const maxPauseMs = 2_000;
/** Probes time out as well: Kubernetes waits three seconds in our deployment. */
const healthTimeoutMs = 1_000;

type Verb = 'read' | 'write' | 'list' | 'delete';

/**
 * Calls to Vault as one identity: node-vault for the protocol, our own transport, login, retries and errors.
 *
 * Every method throws {@link VaultError} and nothing else. After a transient failure a write may have reached Vault,
 * and is repeated: what is written has to be safe to write twice, or guarded by `cas`.
 */
export class VaultConnection {
  readonly #vault: nodeVault.client;
  readonly #login: VaultLogin;
  readonly #maxRetries: number;
  readonly #closeTransport: () => Promise<void>;

  constructor(options: VaultConnectionOptions) {
    const transport = createTransport({
      timeoutMs: options.timeoutMs ?? 5_000,
      ...(options.caFile === undefined ? {} : { caFile: options.caFile }),
    });
    this.#closeTransport = transport.close;
    this.#maxRetries = options.maxRetries ?? 3;
    this.#vault = nodeVault({
      endpoint: options.address,
      // Node's own HTTP server, and some proxies, cannot parse the verb LIST.
      noCustomHTTPVerbs: true,
      // It prints tokens and plaintexts when the environment says DEBUG=*.
      debug: () => undefined,
      'request-promise': { defaults: () => transport.send },
    });
    // node-vault falls back to the environment; each call here names its own token, and a login none at all.
    Object.assign(this.#vault, { token: '', namespace: '', pathPrefix: '' });
    this.#login = new VaultLogin(
      options.auth,
      {
        write: (path, body, token) => this.#call('write', path, token, body),
        read: (path, token) => this.#call('read', path, token),
      },
      options.now ?? Date.now,
    );
  }

  /** The body of a GET; `undefined` where nothing ever was. */
  read<T>(path: string): Promise<T | undefined> {
    return this.#orAbsent(this.#authorized<T>('read', path));
  }

  write<T>(path: string, body: object): Promise<T> {
    return this.#authorized<T>('write', path, body);
  }

  /** The names below a path. */
  async list(path: string): Promise<string[]> {
    const answer = await this.#orAbsent(this.#authorized<{ data: { keys: string[] } }>('list', path));
    return answer?.data.keys ?? [];
  }

  /** The first `limit` names below a path after the one given; OpenBao answers so, Vault with all names. */
  async listPage(path: string, after: string, limit: number): Promise<string[]> {
    const query = new URLSearchParams({ list: 'true', after, limit: String(limit) });
    const answer = await this.read<{ data: { keys: string[] } }>(`${path}?${query.toString()}`);
    return answer?.data.keys ?? [];
  }

  async delete(path: string): Promise<void> {
    await this.#orAbsent(this.#authorized('delete', path));
  }

  /**
   * Whether Vault, or a standby that passes requests on, is initialised, unsealed and answering within a second. Never
   * throws.
   */
  async isHealthy(): Promise<boolean> {
    try {
      const path = 'sys/health?standbyok=true&perfstandbyok=true';
      const health = (await this.#vault.read(path, { timeout: healthTimeoutMs })) as Record<string, unknown>;
      return health['initialized'] === true && health['sealed'] === false;
    } catch {
      return false;
    }
  }

  close(): Promise<void> {
    return this.#closeTransport();
  }

  async #orAbsent<T>(call: Promise<T>): Promise<T | undefined> {
    try {
      return await call;
    } catch (error) {
      if (error instanceof VaultError && error.reason === 'not_found') return undefined;
      throw error;
    }
  }

  #authorized<T>(verb: Verb, path: string, body?: object): Promise<T> {
    return this.#retry(verb, path, async () => {
      const token = await this.#login.token();
      try {
        return (await this.#call(verb, path, token, body)) as T;
      } catch (error) {
        const denied = error instanceof VaultError && error.reason === 'denied';
        if (!denied || !(await this.#login.replace(token))) throw error;
        return (await this.#call(verb, path, await this.#login.token(), body)) as T;
      }
    });
  }

  async #retry<T>(verb: Verb, path: string, attempt: () => Promise<T>): Promise<T> {
    for (let retries = 0; ; retries += 1) {
      try {
        return await attempt();
      } catch (thrown) {
        const error = thrown instanceof VaultError ? thrown : toVaultError(`${verb} ${path}`, thrown);
        if (!error.isTransient || retries >= this.#maxRetries) throw error;
        // Full jitter: a fleet that lost Vault together must not return together.
        await delay(Math.random() * Math.min(100 * 2 ** retries, maxPauseMs));
      }
    }
  }

  async #call(verb: Verb, path: string, token: Secret | undefined, body?: object): Promise<unknown> {
    const options = { headers: token === undefined ? {} : { 'X-Vault-Token': token.reveal() } };
    try {
      return verb === 'write'
        ? await this.#vault.write(path, body, options)
        : await this.#vault[verb](path, options);
    } catch (thrown) {
      // KV answers 404 with the envelope of the version when that version was deleted: an answer, not an error.
      const { response } = thrown as { response?: { statusCode: number; body: { data?: unknown } } };
      if (response?.statusCode === 404 && response.body.data !== undefined) return response.body;
      throw toVaultError(`${verb} ${path}`, thrown);
    }
  }
}
