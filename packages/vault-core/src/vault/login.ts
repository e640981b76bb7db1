import { Secret } from '../secret.ts';
import { VaultError } from './vault-error.ts';

/** How a process proves to Vault who it is. */
export type VaultAuth = { token: Secret } | AppRole;

interface AppRole {
  roleId: string;
  /** Asked for at every login, so that a rotated one is picked up. */
  secretId: () => Secret | Promise<Secret>;
}

/** The calls that a login makes: they carry their own token, or none, and are not retried. */
export interface LoginCalls {
  write(path: string, body: object, token?: Secret): Promise<unknown>;
  read(path: string, token: Secret): Promise<unknown>;
}

interface LeaseAnswer {
  auth: { client_token: string; lease_duration: number; renewable: boolean };
}

interface Lease {
  token: Secret;
  /** When to renew and when the token ends, in milliseconds since the epoch; infinite for a root token. */
  renewAt: number;
  endsAt: number;
  renewable: boolean;
}

/**
 * After a login a 403 means a missing capability, and after a refused one the next is refused as well: asking for a new
 * token more often than this would be a storm.
 */
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
  /** Set by every answer to a login, also a refusal. */
  #quietUntil = -Infinity;
  #refusal: VaultError | undefined;

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
    if ('token' in this.#auth || this.#now() < this.#quietUntil) return false;
    await this.#share(() => this.#logIn());
    return true;
  }

  #share(obtain: () => Promise<Lease>): Promise<Lease> {
    this.#pending ??= obtain()
      .then((lease) => (this.#lease = lease))
      .finally(() => (this.#pending = undefined));
    return this.#pending;
  }

  async #logIn(): Promise<Lease> {
    if (this.#refusal !== undefined && this.#now() < this.#quietUntil) throw this.#refusal;
    this.#refusal = undefined;
    try {
      const lease = await ('token' in this.#auth
        ? this.#lookUp(this.#auth.token)
        : this.#present(this.#auth));
      this.#quietUntil = this.#now() + minimumLoginIntervalMs;
      return lease;
    } catch (error) {
      if (!(error instanceof VaultError) || error.isTransient) throw error;
      this.#quietUntil = this.#now() + minimumLoginIntervalMs;
      const isOurs = error.reason === 'login_refused';
      this.#refusal = isOurs ? error : new VaultError('login', 'login_refused', error.status);
      throw this.#refusal;
    }
  }

  async #present({ roleId, secretId }: AppRole): Promise<Lease> {
    const body = { role_id: roleId, secret_id: (await readSecretId(secretId)).reveal() };
    const { auth } = (await this.#calls.write('auth/approle/login', body)) as LeaseAnswer;
    return this.#leaseOf(new Secret(auth.client_token), auth.lease_duration, auth.renewable);
  }

  /** Vault 403s on a token that it does not know; a lapsed static token is only found out that way. */
  async #lookUp(token: Secret): Promise<Lease> {
    const { data } = (await this.#calls.read('auth/token/lookup-self', token)) as {
      data: { ttl: number; expire_time: string | null; renewable?: boolean };
    };
    if (data.expire_time === null) return { token, renewAt: Infinity, endsAt: Infinity, renewable: false };
    return this.#leaseOf(token, data.ttl, data.renewable === true);
  }

  async #renew(lease: Lease): Promise<Lease> {
    try {
      return (await this.#extend(lease)) ?? (await this.#logIn());
    } catch {
      // Vault is away, or refuses: keep what we have and try again a little later.
      return { ...lease, renewAt: this.#now() + minimumLoginIntervalMs };
    }
  }

  /** `undefined` when only a new login can help. */
  async #extend({ token, endsAt, renewable }: Lease): Promise<Lease | undefined> {
    if (!renewable) return undefined;
    try {
      const { auth } = (await this.#calls.write('auth/token/renew-self', {}, token)) as LeaseAnswer;
      const renewed = this.#leaseOf(token, auth.lease_duration, auth.renewable);
      // At its maximum lifetime Vault "renews" a token for ever shorter leases, told in whole seconds.
      const isAtMaximum = renewed.endsAt < endsAt + 1_000;
      return isAtMaximum && !('token' in this.#auth) ? undefined : renewed;
    } catch (error) {
      if (error instanceof VaultError && error.reason === 'denied') return undefined;
      throw error;
    }
  }

  #leaseOf(token: Secret, seconds: number, renewable: boolean): Lease {
    const lifetime = seconds * 1000;
    return { token, renewAt: this.#now() + (lifetime * 2) / 3, endsAt: this.#now() + lifetime, renewable };
  }
}

/** A secret id that cannot be read is the operator's mistake, not an outage of Vault. */
async function readSecretId(secretId: AppRole['secretId']): Promise<Secret> {
  try {
    return await secretId();
  } catch {
    throw new VaultError('login, reading the secret id', 'login_refused');
  }
}
