import { createHash, randomUUID } from 'node:crypto';
import type { Barrier } from './barrier.ts';
import { authOf } from './auth-token.ts';
import { flag, integer, seconds, strings, text, type Fields } from './fields.ts';
import { notFound, VaultError, type Backend, type RoutedRequest, type VaultAnswer } from './request.ts';
import type { Tokens } from './tokens.ts';

interface Role {
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

interface SecretId {
  accessor: string;
  createdAt: number;
  expiresAt: number | null;
  ttl: number;
  /** Logins left; 0 means unlimited. */
  numUses: number;
}

const emptyRole = {
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

interface Storage {
  barrier: Barrier;
  now: () => number;
  /** Where this mount's entries lie, ending in `/`. */
  prefix: string;
}

/** The AppRole method. Secret ids are stored as hashes. */
export function approle(barrier: Barrier, now: () => number, prefix: string, tokens: Tokens): Backend {
  const storage = { barrier, now, prefix };
  const name = String.raw`(?<name>\w(?:[\w.-]*\w)?)`;
  return {
    routes: [
      {
        path: /^role\/?$/,
        on: {
          list() {
            const keys = barrier.list(`${prefix}role/`);
            if (keys.length === 0) throw notFound();
            return { data: { keys } };
          },
        },
      },
      {
        path: new RegExp(`^role/${name}$`),
        exists: (request) => readRole(storage, request) !== undefined,
        on: {
          read: (request) => ({ data: showRole(roleOf(storage, request)) }),
          write: (request) => writeRole(storage, request),
          delete: (request) => deleteRole(storage, request),
        },
      },
      {
        path: new RegExp(`^role/${name}/role-id$`),
        on: {
          read: (request) => ({ data: { role_id: roleOf(storage, request).roleId } }),
          write: (request) => writeRoleId(storage, request),
        },
      },
      {
        path: new RegExp(`^role/${name}/secret-id/?$`),
        on: {
          list: (request) => listSecretIds(storage, request),
          write: (request) => newSecretId(storage, request),
        },
      },
      {
        path: new RegExp(`^role/${name}/secret-id/lookup$`),
        on: { write: (request) => lookupSecretId(storage, request) },
      },
      {
        path: new RegExp(`^role/${name}/secret-id/destroy$`),
        on: {
          write: (request) => destroySecretId(storage, request),
          delete: (request) => destroySecretId(storage, request),
        },
      },
      { path: /^login$/, public: true, on: { write: (request) => login(storage, tokens, request) } },
    ],
  };
}

function login(storage: Storage, tokens: Tokens, { fields }: RoutedRequest): VaultAnswer {
  const refused = () => new VaultError(400, 'invalid role or secret ID');
  const roleId = text(fields, 'role_id');
  if (!roleId) throw new VaultError(400, 'missing role_id');
  const roleName = storage.barrier.get(`${storage.prefix}role-id/${hashOf(roleId)}`) as string | undefined;
  const role = roleName === undefined ? undefined : storedRole(storage, roleName);
  if (roleName === undefined || !role) throw refused();
  if (role.bindSecretId) {
    const secretId = text(fields, 'secret_id');
    if (!secretId) throw new VaultError(400, 'missing secret_id');
    if (!spend(storage, secretIdPath(storage, roleName, secretId))) throw refused();
  }
  const { clientToken, token } = tokens.create({
    policies: role.tokenNoDefaultPolicy ? role.tokenPolicies : [...role.tokenPolicies, 'default'],
    displayName: 'approle',
    path: 'auth/approle/login',
    meta: { role_name: roleName },
    ttl: role.tokenTtl,
    maxTtl: role.tokenMaxTtl,
    explicitMaxTtl: role.tokenExplicitMaxTtl,
    period: role.tokenPeriod,
    numUses: role.tokenNumUses,
  });
  return { auth: authOf(clientToken, token, token.creationTtl) };
}

/** Takes one use of a secret id. Returns whether it was good for one. */
function spend({ barrier, now }: Storage, path: string): boolean {
  const stored = barrier.get(path) as SecretId | undefined;
  if (!stored || (stored.expiresAt !== null && stored.expiresAt <= now())) return false;
  if (stored.numUses === 1) barrier.delete(path);
  else if (stored.numUses > 1)
    barrier.put(path, { ...stored, numUses: stored.numUses - 1 }, stored.expiresAt);
  return true;
}

function writeRole(storage: Storage, request: RoutedRequest): VaultAnswer {
  const { fields } = request;
  const known = readRole(storage, request);
  const role: Role = { ...(known ?? { ...emptyRole, roleId: randomUUID() }), ...changes(fields) };
  if (role.tokenMaxTtl > 0 && role.tokenTtl > role.tokenMaxTtl) {
    throw new VaultError(400, "'token_ttl' cannot be greater than 'token_max_ttl'");
  }
  saveRole(storage, nameOf(request), role);
  return {};
}

function changes(fields: Fields): Partial<Role> {
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

function showRole(role: Role): Fields {
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

function writeRoleId(storage: Storage, request: RoutedRequest): VaultAnswer {
  const role = roleOf(storage, request);
  const roleId = text(request.fields, 'role_id');
  if (!roleId) throw new VaultError(400, 'missing role_id');
  storage.barrier.delete(`${storage.prefix}role-id/${hashOf(role.roleId)}`);
  saveRole(storage, nameOf(request), { ...role, roleId });
  return {};
}

function saveRole({ barrier, prefix }: Storage, name: string, role: Role): void {
  barrier.transaction(() => {
    barrier.put(`${prefix}role/${name}`, role);
    barrier.put(`${prefix}role-id/${hashOf(role.roleId)}`, name);
  });
}

function deleteRole(storage: Storage, request: RoutedRequest): VaultAnswer {
  const { barrier, prefix } = storage;
  const role = readRole(storage, request);
  if (!role) return {};
  barrier.transaction(() => {
    barrier.delete(`${prefix}role/${nameOf(request)}`);
    barrier.delete(`${prefix}role-id/${hashOf(role.roleId)}`);
    barrier.deleteFolder(`${prefix}secret-id/${nameOf(request)}/`);
  });
  return {};
}

function newSecretId(storage: Storage, request: RoutedRequest): VaultAnswer {
  const { barrier, now } = storage;
  const role = readRole(storage, request);
  if (!role) throw new VaultError(404, `role "${nameOf(request)}" does not exist`);
  const ttl = seconds(request.fields, 'ttl') ?? role.secretIdTtl;
  const secretId = randomUUID();
  const stored: SecretId = {
    accessor: randomUUID(),
    createdAt: now(),
    expiresAt: ttl > 0 ? now() + ttl * 1000 : null,
    ttl,
    numUses: integer(request.fields, 'num_uses') ?? role.secretIdNumUses,
  };
  barrier.put(secretIdPath(storage, nameOf(request), secretId), stored, stored.expiresAt);
  return {
    data: {
      secret_id: secretId,
      secret_id_accessor: stored.accessor,
      secret_id_num_uses: stored.numUses,
      secret_id_ttl: ttl,
    },
  };
}

function listSecretIds(storage: Storage, request: RoutedRequest): VaultAnswer {
  const folder = `${storage.prefix}secret-id/${nameOf(request)}/`;
  const keys = storage.barrier
    .list(folder)
    .map((hash) => (storage.barrier.get(folder + hash) as SecretId | undefined)?.accessor ?? '');
  if (keys.length === 0) throw notFound();
  return { data: { keys } };
}

function lookupSecretId(storage: Storage, request: RoutedRequest): VaultAnswer {
  const { barrier, now } = storage;
  const secretId = text(request.fields, 'secret_id') ?? '';
  const stored = barrier.get(secretIdPath(storage, nameOf(request), secretId)) as SecretId | undefined;
  if (!stored || (stored.expiresAt !== null && stored.expiresAt <= now())) return {};
  return {
    data: {
      creation_time: new Date(stored.createdAt).toISOString(),
      expiration_time: new Date(stored.expiresAt ?? Date.UTC(1, 0, 1)).toISOString(),
      secret_id_accessor: stored.accessor,
      secret_id_num_uses: stored.numUses,
      secret_id_ttl: stored.ttl,
    },
  };
}

function destroySecretId(storage: Storage, request: RoutedRequest): VaultAnswer {
  const secretId = text(request.fields, 'secret_id') ?? '';
  storage.barrier.delete(secretIdPath(storage, nameOf(request), secretId));
  return {};
}

function roleOf(storage: Storage, request: RoutedRequest): Role {
  const role = readRole(storage, request);
  if (!role) throw notFound();
  return role;
}

function readRole(storage: Storage, request: RoutedRequest): Role | undefined {
  return storedRole(storage, nameOf(request));
}

function storedRole({ barrier, prefix }: Storage, name: string): Role | undefined {
  return barrier.get(`${prefix}role/${name}`) as Role | undefined;
}

function nameOf(request: RoutedRequest): string {
  return (request.params['name'] ?? '').toLowerCase();
}

function secretIdPath({ prefix }: Storage, role: string, secretId: string): string {
  return `${prefix}secret-id/${role}/${hashOf(secretId)}`;
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
