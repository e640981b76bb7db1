import { randomBytes, randomUUID } from 'node:crypto';
import { approle } from './approle.ts';
import { tokenAuth } from './auth-token.ts';
import type { Barrier } from './barrier.ts';
import { text, type Fields } from './fields.ts';
import { kv } from './kv.ts';
import type { Policies } from './policies.ts';
import { VaultError, type Backend } from './request.ts';
import type { Tokens } from './tokens.ts';
import { transit } from './transit.ts';

export interface Mount {
  /** With a trailing slash; an auth method's begins with `auth/`. */
  path: string;
  type: string;
  uuid: string;
  accessor: string;
  description: string;
  options: Record<string, string> | null;
}

interface Mounted {
  mount: Mount;
  backend: Backend;
}

const tablePath = 'core/mounts';

/** The mount table: which engine or auth method answers on which path. */
export class Mounts {
  readonly #barrier: Barrier;
  readonly #build: (mount: Mount) => Backend;
  readonly #mounted = new Map<string, Mounted>();

  constructor(barrier: Barrier, now: () => number, tokens: Tokens, policies: Policies) {
    this.#barrier = barrier;
    this.#build = ({ type, uuid, path }) => {
      const prefix = `logical/${uuid}/`;
      if (type === 'kv') return kv(barrier, now, prefix);
      if (type === 'transit') return transit(barrier, now, prefix);
      if (type === 'approle') return approle({ barrier, now, prefix }, path, tokens);
      return tokenAuth(tokens, policies);
    };
    const stored = (barrier.get(tablePath) as Mount[] | undefined) ?? [];
    for (const mount of stored) this.#mounted.set(mount.path, { mount, backend: this.#build(mount) });
    if (stored.length === 0) this.#add('auth/token/', 'token', 'token based credentials', null);
  }

  /** Puts the system's own routes on `sys/`. */
  mountSystem(backend: Backend): void {
    const mount = newMount('sys/', 'system', 'system endpoints used for control, policy and debugging', null);
    this.#mounted.set('sys/', { mount, backend });
  }

  /** The longest mount that a path lies in. */
  find(path: string): Mounted | undefined {
    let found: Mounted | undefined;
    for (const candidate of this.#mounted.values()) {
      const longer = candidate.mount.path.length > (found?.mount.path.length ?? 0);
      if (longer && `${path}/`.startsWith(candidate.mount.path)) found = candidate;
    }
    return found;
  }

  list(kind: 'secret' | 'auth'): Mount[] {
    const mounts = [...this.#mounted.values()].map(({ mount }) => mount);
    return mounts.filter((mount) => mount.path.startsWith('auth/') === (kind === 'auth'));
  }

  get(path: string): Mount | undefined {
    return this.#mounted.get(path)?.mount;
  }

  mountSecrets(path: string, type: string, description: string, options: Fields): void {
    const version = type === 'kv-v2' ? '2' : (text(options, 'version') ?? '1');
    if (type === 'kv-v2' || type === 'kv') {
      if (version !== '2') throw new VaultError(400, 'only version 2 of the kv engine is supported here');
      this.#add(path, 'kv', description, { version });
    } else if (type === 'transit') this.#add(path, type, description, null);
    else throw new VaultError(400, `plugin not found in the catalog: ${type}`);
  }

  mountAuth(path: string, type: string, description: string): void {
    if (type !== 'approle') throw new VaultError(400, `plugin not found in the catalog: ${type}`);
    this.#add(`auth/${path}`, type, description, {});
  }

  describe(mount: Mount, description: string): void {
    mount.description = description;
    this.#save();
  }

  /** Removes a mount and everything stored under it. */
  unmount(path: string): void {
    const found = this.#mounted.get(path);
    if (!found) return;
    if (['sys/', 'auth/token/'].includes(path)) throw new VaultError(400, `cannot unmount ${path}`);
    this.#mounted.delete(path);
    this.#barrier.transaction(() => {
      this.#barrier.deleteFolder(`logical/${found.mount.uuid}/`);
      this.#save();
    });
  }

  #add(path: string, type: string, description: string, options: Mount['options']): void {
    const shown = path.replace(/^auth\//, '');
    const conflict = [...this.#mounted.keys()].find(
      (other) => other.startsWith(path) || path.startsWith(other),
    );
    if (conflict !== undefined) throw new VaultError(400, `path is already in use at ${shown}`);
    const mount = newMount(path, type, description, options);
    this.#mounted.set(path, { mount, backend: this.#build(mount) });
    this.#save();
  }

  #save(): void {
    const stored = [...this.#mounted.values()]
      .map(({ mount }) => mount)
      .filter(({ type }) => type !== 'system');
    this.#barrier.put(tablePath, stored);
  }
}

function newMount(path: string, type: string, description: string, options: Mount['options']): Mount {
  const accessor = `${path.startsWith('auth/') ? 'auth_' : ''}${type}_${randomBytes(4).toString('hex')}`;
  return { path, type, uuid: randomUUID(), accessor, description, options };
}

/** A mount as `sys/mounts` and `sys/auth` show it. */
export function showMount(mount: Mount): Fields {
  return {
    accessor: mount.accessor,
    config: { default_lease_ttl: 0, force_no_cache: false, max_lease_ttl: 0 },
    description: mount.description,
    external_entropy_access: false,
    local: false,
    options: mount.options,
    plugin_version: '',
    running_plugin_version: '',
    running_sha256: '',
    seal_wrap: false,
    type: mount.type,
    uuid: mount.uuid,
  };
}
