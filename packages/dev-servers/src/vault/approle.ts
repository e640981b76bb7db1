import { randomUUID } from 'node:crypto';
import {
  emptyRole,
  findRole,
  readRole,
  removeRole,
  roleChanges,
  saveRole,
  showRole,
  type Role,
  type RoleStorage,
} from './approle-role.ts';
import {
  createSecretId,
  deleteSecretId,
  readSecretId,
  secretIdAccessors,
  showSecretId,
  spendSecretId,
} from './approle-secret-id.ts';
import { integer, seconds, text } from './fields.ts';
import {
  listing,
  namePattern,
  notFound,
  VaultError,
  type Backend,
  type Route,
  type RoutedRequest,
  type VaultAnswer,
} from './request.ts';
import { authOf, type Tokens } from './tokens.ts';

/** The AppRole method on the mount `path`, such as `auth/approle/`. */
export function approle(storage: RoleStorage, path: string, tokens: Tokens): Backend {
  const { barrier, prefix } = storage;
  return {
    routes: [
      { path: /^role\/?$/, on: { list: () => listing(barrier.list(`${prefix}role/`)) } },
      {
        path: new RegExp(`^role/${namePattern}$`),
        exists: (request) => readRole(storage, nameOf(request)) !== undefined,
        on: {
          read: (request) => ({ data: showRole(roleOf(storage, request)) }),
          write: (request) => writeRole(storage, request),
          delete(request) {
            removeRole(storage, nameOf(request));
            return {};
          },
        },
      },
      {
        path: new RegExp(`^role/${namePattern}/role-id$`),
        on: {
          read: (request) => ({ data: { role_id: roleOf(storage, request).roleId } }),
          write: (request) => writeRoleId(storage, request),
        },
      },
      ...secretIdRoutes(storage),
      { path: /^login$/, public: true, on: { write: (request) => login(storage, path, tokens, request) } },
    ],
  };
}

function secretIdRoutes(storage: RoleStorage): Route[] {
  const destroy = (request: RoutedRequest): VaultAnswer => {
    deleteSecretId(storage, nameOf(request), secretIdOf(request));
    return {};
  };
  return [
    {
      path: new RegExp(`^role/${namePattern}/secret-id/?$`),
      on: {
        list: (request) => listing(secretIdAccessors(storage, nameOf(request))),
        write: (request) => newSecretId(storage, request),
      },
    },
    {
      path: new RegExp(`^role/${namePattern}/secret-id/lookup$`),
      on: {
        write(request) {
          const stored = readSecretId(storage, nameOf(request), secretIdOf(request));
          return stored ? { data: showSecretId(stored) } : {};
        },
      },
    },
    {
      path: new RegExp(`^role/${namePattern}/secret-id/destroy$`),
      on: { write: destroy, delete: destroy },
    },
  ];
}

function secretIdOf(request: RoutedRequest): string {
  return text(request.fields, 'secret_id') ?? '';
}

function login(storage: RoleStorage, path: string, tokens: Tokens, { fields }: RoutedRequest): VaultAnswer {
  const roleId = text(fields, 'role_id');
  if (!roleId) throw new VaultError(400, 'missing role_id');
  const roleName = findRole(storage, roleId);
  const role = roleName === undefined ? undefined : readRole(storage, roleName);
  if (roleName === undefined || !role) throw badLogin();
  if (role.bindSecretId) {
    const secretId = text(fields, 'secret_id');
    if (!secretId) throw new VaultError(400, 'missing secret_id');
    if (!spendSecretId(storage, roleName, secretId)) throw badLogin();
  }
  const { clientToken, token } = tokens.create({
    policies: role.tokenNoDefaultPolicy ? role.tokenPolicies : [...role.tokenPolicies, 'default'],
    displayName: path.slice('auth/'.length, -1),
    path: `${path}login`,
    meta: { role_name: roleName },
    ttl: role.tokenTtl,
    maxTtl: role.tokenMaxTtl,
    explicitMaxTtl: role.tokenExplicitMaxTtl,
    period: role.tokenPeriod,
    numUses: role.tokenNumUses,
  });
  return { auth: authOf(clientToken, token, token.creationTtl) };
}

/** The same for an unknown role and a wrong secret id: who guesses learns nothing. */
function badLogin(): VaultError {
  return new VaultError(400, 'invalid role or secret ID');
}

function writeRole(storage: RoleStorage, request: RoutedRequest): VaultAnswer {
  const known = readRole(storage, nameOf(request)) ?? { ...emptyRole, roleId: randomUUID() };
  const role: Role = { ...known, ...roleChanges(request.fields) };
  if (role.tokenMaxTtl > 0 && role.tokenTtl > role.tokenMaxTtl) {
    throw new VaultError(400, "'token_ttl' cannot be greater than 'token_max_ttl'");
  }
  saveRole(storage, nameOf(request), role);
  return {};
}

function writeRoleId(storage: RoleStorage, request: RoutedRequest): VaultAnswer {
  const role = roleOf(storage, request);
  const roleId = text(request.fields, 'role_id');
  if (!roleId) throw new VaultError(400, 'missing role_id');
  saveRole(storage, nameOf(request), { ...role, roleId });
  return {};
}

function newSecretId(storage: RoleStorage, request: RoutedRequest): VaultAnswer {
  const { fields } = request;
  const role = readRole(storage, nameOf(request));
  if (!role) throw new VaultError(404, `role "${nameOf(request)}" does not exist`);
  const ttl = seconds(fields, 'ttl') ?? role.secretIdTtl;
  const numUses = integer(fields, 'num_uses') ?? role.secretIdNumUses;
  return { data: createSecretId(storage, nameOf(request), ttl, numUses) };
}

function roleOf(storage: RoleStorage, request: RoutedRequest): Role {
  const role = readRole(storage, nameOf(request));
  if (!role) throw notFound();
  return role;
}

function nameOf(request: RoutedRequest): string {
  return (request.params['name'] ?? '').toLowerCase();
}
