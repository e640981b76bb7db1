import { createHash } from 'node:crypto';
import type { Barrier } from './barrier.ts';
import { flag, integer, seconds, strings, type Fields } from './fields.ts';

/** Where the roles of one AppRole mount are kept. */
export interface RoleStorage {
  barrier: Barrier;
  now: () => number;
  /** Ends in `/`. */
  prefix: string;
}

export interface Role {
  roleId: string;
  bindSecretId: boolean;
  secretIdNumUses: number;
  /** All in seconds. */
  secretIdTtl: number;
  tokenTtl: number;
  tokenMaxTtl: number;
  tokenPeriod: number;
  tokenExplicitMaxTtl: number;
  tokenNumUses: number;
  tokenNoDefaultPolicy: boolean;
  tokenPolicies: string[];
}

export const emptyRole = {
  bindSecretId: true,
  secretIdNumUses: 0,
  secretIdTtl: 0,
  tokenTtl: 0,
  tokenMaxTtl: 0,
  tokenPeriod: 0,
  tokenExplicitMaxTtl: 0,
  tokenNumUses: 0,
  tokenNoDefaultPolicy: false,
  tokenPolicies: [],
} satisfies Omit<Role, 'roleId'>;

export function readRole({ barrier, prefix }: RoleStorage, name: string): Role | undefined {
  return barrier.get(`${prefix}role/${name}`) as Role | undefined;
}

/** The name of the role with this role id. */
export function findRole({ barrier, prefix }: RoleStorage, roleId: string): string | undefined {
  return barrier.get(`${prefix}role-id/${hashOf(roleId)}`) as string | undefined;
}

export function saveRole(storage: RoleStorage, name: string, role: Role): void {
  const { barrier, prefix } = storage;
  const known = readRole(storage, name);
  barrier.transaction(() => {
    if (known && known.roleId !== role.roleId) barrier.delete(`${prefix}role-id/${hashOf(known.roleId)}`);
    barrier.put(`${prefix}role/${name}`, role);
    barrier.put(`${prefix}role-id/${hashOf(role.roleId)}`, name);
  });
}

/** Forgets a role with its secret ids. */
export function removeRole(storage: RoleStorage, name: string): void {
  const { barrier, prefix } = storage;
  const role = readRole(storage, name);
  if (!role) return;
  barrier.transaction(() => {
    barrier.delete(`${prefix}role/${name}`);
    barrier.delete(`${prefix}role-id/${hashOf(role.roleId)}`);
    barrier.deleteFolder(`${prefix}secret-id/${name}/`);
  });
}

/** What a write changes of a role. */
export function roleChanges(fields: Fields): Partial<Role> {
  const given = {
    bindSecretId: flag(fields, 'bind_secret_id'),
    secretIdNumUses: integer(fields, 'secret_id_num_uses'),
    secretIdTtl: seconds(fields, 'secret_id_ttl'),
    tokenTtl: seconds(fields, 'token_ttl'),
    tokenMaxTtl: seconds(fields, 'token_max_ttl'),
    tokenPeriod: seconds(fields, 'token_period'),
    tokenExplicitMaxTtl: seconds(fields, 'token_explicit_max_ttl'),
    tokenNumUses: integer(fields, 'token_num_uses'),
    tokenNoDefaultPolicy: flag(fields, 'token_no_default_policy'),
    tokenPolicies: strings(fields, 'token_policies') ?? strings(fields, 'policies'),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

export function showRole(role: Role): Fields {
  return {
    bind_secret_id: role.bindSecretId,
    local_secret_ids: false,
    secret_id_bound_cidrs: null,
    secret_id_num_uses: role.secretIdNumUses,
    secret_id_ttl: role.secretIdTtl,
    token_bound_cidrs: [],
    token_explicit_max_ttl: role.tokenExplicitMaxTtl,
    token_max_ttl: role.tokenMaxTtl,
    token_no_default_policy: role.tokenNoDefaultPolicy,
    token_num_uses: role.tokenNumUses,
    token_period: role.tokenPeriod,
    token_policies: role.tokenPolicies,
    token_ttl: role.tokenTtl,
    token_type: 'default',
  };
}

function hashOf(roleId: string): string {
  return createHash('sha256').update(roleId).digest('hex');
}
