import { Secret } from '../secret.ts';
import { VaultError } from './vault-error.ts';

/** How a process proves to Vault who it is. */
export type VaultAuth =
  | { token: Secret }
  /** The secret id is asked for at every login, so that a rotated one is picked up. */
  | { roleId: string; secretId: () => Secret | Promise<Secret> };

/** The calls a login makes: they carry their own token, or none. */
export interface LoginCalls {
  write(path: string, body: object, token?: Secret): Promise<unknown>;
  read(path: string, token: Secret): Promise<unknown>;
}

interface Lease {
  token: Secret;
  /** When to renew and when the token ends, in milliseconds since the epoch; infinite for a root token. */
  renewAt: number;
  endsAt: number;
  renewable: boolean;
}

/** After a login, a 403 means a missing capability; asking for a new token more often would be a storm. */
const minimumLoginIntervalMs = 5_000;

/**
 * Keeps one valid Vault token. It is renewed by the first use after two thirds of its lease, in the background; a lapsed or
 * unrenewable one is replaced by a new AppRole login. There is no timer: an idle process costs Vault nothing, and
 * no lease is too long for `setTimeout`.
 */
export class VaultLogin {
  readonly #auth: VaultAuth;
  readonly #calls: LoginCalls;
  readonly #now: () => number;
  #lease: Lease | undefined;
  #pending: Promise<Lease> | undefined;
  #lastLogin = -Infinity;

  constructor(auth: VaultAuth, calls: LoginCalls, now: () => number) {
    this.#auth = auth;
    this.#calls = calls;
    this.#now = now;
  }

  /** A token that is valid as far as we know. Concurrent callers share one login. */
  async token(): Promise<Secret> {
    const lease = this.#lease;
    if (lease === undefined || this.#now() >= lease.endsAt)
      return (await this.#share(() => this.#logIn())).token;
    if (this.#now() >= lease.renewAt) this.#share(() => this.#renew(lease)).catch(() => undefined);
    return lease.token;
  }

  /**
   * Vault answered 403 to `refused`. Says whether another try with a new token makes sense, and gets that token.
   */
  async replace(refused: Secret): Promise<boolean> {
    if (this.#lease !== undefined && this.#lease.token !== refused) return true;
    if ('token' in this.#auth || this.#now() - this.#lastLogin < minimumLoginIntervalMs) return false;
    await this.#share(() => this.#logIn());
    return true;
  }

  async #share(obtain: () => Promise<Lease>): Promise<Lease> {
    this.#pending ??= obtain().finally(() => (this.#pending = undefined));
    this.#lease = await this.#pending;
    return this.#lease;
  }

  async #logIn(): Promise<Lease> {
    this.#lastLogin = this.#now();
    if ('token' in this.#auth) return this.#lookUp(this.#auth.token);
    const secretId = await this.#auth.secretId();
    const body = { role_id: this.#auth.roleId, secret_id: secretId.reveal() };
    return this.#leaseFrom(await this.#calls.write('auth/approle/login', body));
  }

  /** Vault 403s on a token that it does not know; a lapsed static token is only found out that way. */
  async #lookUp(token: Secret): Promise<Lease> {
    const { data } = (await this.#calls.read('auth/token/lookup-self', token)) as {
      data: { ttl: number; renewable?: boolean };
    };
    return this.#leaseOf(token, data.ttl, data.renewable === true);
  }

  async #renew(lease: Lease): Promise<Lease> {
    if (!lease.renewable) return this.#logIn();
    try {
      const renewed = this.#leaseFrom(await this.#calls.write('auth/token/renew-self', {}, lease.token));
      // At its maximum lifetime Vault "renews" a token for ever shorter leases: start over with a new one.
      const shrinking = renewed.endsAt <= lease.endsAt;
      return shrinking && !('token' in this.#auth) ? await this.#logIn() : renewed;
    } catch (error) {
      if (error instanceof VaultError && error.reason === 'denied') return this.#logIn();
      // Vault is away: keep what we have and try again a little later.
      return { ...lease, renewAt: this.#now() + minimumLoginIntervalMs };
    }
  }

  #leaseFrom(response: unknown): Lease {
    const { auth } = response as {
      auth: { client_token: string; lease_duration: number; renewable: boolean };
    };
    return this.#leaseOf(new Secret(auth.client_token), auth.lease_duration, auth.renewable);
  }

  #leaseOf(token: Secret, seconds: number, renewable: boolean): Lease {
    if (seconds === 0) return { token, renewAt: Infinity, endsAt: Infinity, renewable: false };
    const lifetime = seconds * 1000;
    return { token, renewAt: this.#now() + (lifetime * 2) / 3, endsAt: this.#now() + lifetime, renewable };
  }
}
