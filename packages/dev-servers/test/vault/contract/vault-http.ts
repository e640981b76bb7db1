import { randomBytes } from 'node:crypto';
import { vi } from 'vitest';

export interface Answer {
  status: number;
  // Answers are asserted on, not computed with.
  // eslint-disable-next-line typescript/no-explicit-any
  body: any;
}

/** Plain HTTP to a Vault, and names that no other run uses. What it made is gone after `clean()`. */
export class VaultHttp {
  readonly address: string;
  readonly token: string;
  readonly #made: string[] = [];

  constructor(address: string, token: string) {
    this.address = address;
    this.token = token;
  }

  as(token: string): VaultHttp {
    return new VaultHttp(this.address, token);
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(`${this.address}/v1/${path}`, {
      method,
      redirect: 'manual',
      headers: { ...(this.token === '' ? {} : { 'X-Vault-Token': this.token }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  }

  get(path: string): Promise<Answer> {
    return this.call('GET', path);
  }

  list(path: string): Promise<Answer> {
    return this.call('GET', `${path}?list=true`);
  }

  post(path: string, body?: unknown): Promise<Answer> {
    return this.call('POST', path, body);
  }

  delete(path: string): Promise<Answer> {
    return this.call('DELETE', path);
  }

  name(kind: string): string {
    return `${kind}-${randomBytes(6).toString('hex')}`;
  }

  /** Mounts an engine under a new name and returns it. */
  async mount(type: 'transit' | 'kv-v2'): Promise<string> {
    const path = this.name(type);
    await this.expect204('POST', `sys/mounts/${path}`, { type });
    this.#made.push(`sys/mounts/${path}`);
    // A real Vault upgrades a new kv mount in the background, and refuses requests meanwhile.
    await vi.waitFor(async () => {
      if (type !== 'kv-v2') return;
      const { status } = await this.get(`${path}/config`);
      if (status !== 200) throw new Error(`${path} answers ${status}`);
    });
    return path;
  }

  async mountApprole(): Promise<string> {
    const path = this.name('approle');
    await this.expect204('POST', `sys/auth/${path}`, { type: 'approle' });
    this.#made.push(`sys/auth/${path}`);
    return path;
  }

  async policy(source: string): Promise<string> {
    const name = this.name('policy');
    await this.expect204('PUT', `sys/policies/acl/${name}`, { policy: source });
    this.#made.push(`sys/policies/acl/${name}`);
    return name;
  }

  /** A token with only this policy (and what `extra` says). */
  async tokenWith(source: string, extra: object = {}): Promise<VaultHttp> {
    const policy = await this.policy(source);
    const { body } = await this.post('auth/token/create', {
      policies: [policy],
      no_default_policy: true,
      ttl: '10m',
      ...extra,
    });
    return this.as(body.auth.client_token);
  }

  async clean(): Promise<void> {
    for (const path of this.#made.splice(0).toReversed()) await this.delete(path);
  }

  private async expect204(method: string, path: string, body: unknown): Promise<void> {
    const { status, body: answer } = await this.call(method, path, body);
    if (status !== 204) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(answer)}`);
  }
}

/** An error as Vault words it. */
export function refusal(status: number, ...errors: string[]): Answer {
  return { status, body: { errors } };
}

/** An error in the list format of Vault's framework. */
export function listed(status: number, message: string): Answer {
  return refusal(status, `1 error occurred:\n\t* ${message}\n\n`);
}

export const noContent: Answer = { status: 204, body: undefined };
export const neverExisted: Answer = refusal(404);
export const denied: Answer = listed(403, 'permission denied');
