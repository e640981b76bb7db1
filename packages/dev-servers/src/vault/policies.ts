import { Acl } from './acl.ts';
import type { Barrier } from './barrier.ts';
import { parsePolicy, PolicySyntaxError, type PathRule } from './policy-hcl.ts';
import { VaultError } from './request.ts';

const defaultPolicy = `# Allow tokens to look up their own properties
path "auth/token/lookup-self" {
  capabilities = ["read"]
}

# Allow tokens to renew themselves
path "auth/token/renew-self" {
  capabilities = ["update"]
}

# Allow tokens to revoke themselves
path "auth/token/revoke-self" {
  capabilities = ["update"]
}

# Allow a token to look up its own capabilities on a path
path "sys/capabilities-self" {
  capabilities = ["update"]
}
`;

/** The named ACL policies. */
export class Policies {
  readonly #barrier: Barrier;
  readonly #rules = new Map<string, PathRule[]>();
  readonly #acls = new Map<string, Acl>();

  constructor(barrier: Barrier) {
    this.#barrier = barrier;
    if (this.get('default') === undefined) this.set('default', defaultPolicy);
  }

  names(): string[] {
    return [...this.#barrier.list('sys/policy/'), 'root'].sort();
  }

  /** The policy's text as it was written. */
  get(name: string): string | undefined {
    return name === 'root' ? '' : (this.#barrier.get(`sys/policy/${name}`) as string | undefined);
  }

  set(name: string, source: string): void {
    if (name === 'root') throw new VaultError(400, 'cannot update "root" policy');
    try {
      parsePolicy(source);
    } catch (error) {
      if (error instanceof PolicySyntaxError) {
        throw new VaultError(400, `failed to parse policy: ${error.message}`);
      }
      throw error;
    }
    this.#barrier.put(`sys/policy/${name}`, source);
    this.#forget(name);
  }

  delete(name: string): void {
    if (name === 'root') throw new VaultError(400, 'cannot delete "root" policy');
    if (name === 'default') throw new VaultError(400, 'cannot delete default policy');
    this.#barrier.delete(`sys/policy/${name}`);
    this.#forget(name);
  }

  /** What the policies of these names grant together; a missing policy grants nothing. */
  acl(names: string[]): Acl {
    const key = names.join(',');
    const known = this.#acls.get(key);
    if (known) return known;
    const acl = new Acl(
      names.flatMap((name) => this.#rulesOf(name)),
      names.includes('root'),
    );
    this.#acls.set(key, acl);
    return acl;
  }

  #rulesOf(name: string): PathRule[] {
    const rules = this.#rules.get(name) ?? parsePolicy(this.get(name) ?? '');
    this.#rules.set(name, rules);
    return rules;
  }

  #forget(name: string): void {
    this.#rules.delete(name);
    this.#acls.clear();
  }
}
