import type { VaultConfig } from '@connectors/vault-core';
import { findingsOf, type Finding } from './finding.ts';

type Mounts = Pick<VaultConfig, 'VAULT_TRANSIT_ENGINE' | 'VAULT_REFRESH_TRANSIT_ENGINE' | 'VAULT_KV_ENGINE'>;

/** What an app must be allowed on each path, and what it must not. */
interface Rights {
  needs: Record<string, string[]>;
  mustNot: Record<string, string[]>;
}

const writing = ['create', 'update', 'delete'];

/** The paths of a tenant and an integration that need not exist. */
export function rightsOf(app: 'worker' | 'proxy', mounts: Mounts): Rights {
  return app === 'worker' ? rightsOfWorker(mounts) : rightsOfProxy(mounts);
}

function rightsOfProxy(mounts: Mounts): Rights {
  const { VAULT_TRANSIT_ENGINE: transit, VAULT_REFRESH_TRANSIT_ENGINE: refresh } = mounts;
  const documents = `${mounts.VAULT_KV_ENGINE}/data`;
  return {
    needs: {
      [`${documents}/tenant/integration`]: ['read'],
      [`${documents}/_agents/agent`]: ['read'],
      [`${transit}/decrypt/tenant`]: ['update'],
    },
    mustNot: {
      [`${refresh}/decrypt/tenant`]: ['update'],
      [`${refresh}/datakey/plaintext/_spool`]: ['update'],
      [`${documents}/_clients/integration`]: ['read', ...writing],
      [`${documents}/tenant/integration`]: writing,
      [`${documents}/_agents/agent`]: writing,
    },
  };
}

function rightsOfWorker(mounts: Mounts): Rights {
  const {
    VAULT_TRANSIT_ENGINE: transit,
    VAULT_REFRESH_TRANSIT_ENGINE: refresh,
    VAULT_KV_ENGINE: kv,
  } = mounts;
  return {
    needs: {
      [`${kv}/data/tenant/integration`]: ['read', ...writing],
      [`${kv}/data/_agents/agent`]: ['read', ...writing],
      [`${kv}/destroy/tenant/integration`]: ['update'],
      [`${kv}/metadata/`]: ['list'],
      [`${kv}/metadata/tenant/`]: ['list'],
      [`${kv}/metadata/tenant/integration`]: ['read', 'delete'],
      ...keyRights(transit),
      ...keyRights(refresh),
      [`${refresh}/datakey/plaintext/_spool`]: ['update'],
    },
    // A key that an encryption makes hides a mistyped tenant.
    mustNot: { [`${transit}/encrypt/tenant`]: ['create'], [`${refresh}/encrypt/tenant`]: ['create'] },
  };
}

function keyRights(mount: string): Record<string, string[]> {
  return {
    [`${mount}/keys/tenant`]: ['create', 'read', 'update', 'delete'],
    [`${mount}/keys/tenant/config`]: ['update'],
    [`${mount}/encrypt/tenant`]: ['update'],
    [`${mount}/decrypt/tenant`]: ['update'],
  };
}

/** Judges what `sys/capabilities-self` answered. */
export function judgeCapabilities(
  app: 'worker' | 'proxy',
  { needs, mustNot }: Rights,
  capabilities: Readonly<Record<string, unknown>>,
): Finding[] {
  const { ok, failed } = findingsOf(app);
  const has = (path: string) => (Array.isArray(capabilities[path]) ? (capabilities[path] as string[]) : []);
  const isRoot = Object.keys(needs).some((path) => has(path).includes('root'));
  const missing = Object.entries(needs).flatMap(([path, wanted]) =>
    wanted.filter((right) => !isRoot && !has(path).includes(right)).map((right) => `${right} ${path}`),
  );
  const excess = Object.entries(mustNot).flatMap(([path, refused]) =>
    refused
      .filter((right) => (isRoot && app === 'proxy') || has(path).includes(right))
      .map((right) => `${right} ${path}`),
  );
  const policy = app === 'worker' ? 'oauth-policy' : 'oauth-proxy-policy';
  const fix = `Write vault/policies/${policy}.hcl to Vault again and give the role that policy alone: vault/init-vault.sh does both`;
  return [
    missing.length === 0
      ? ok('vault.rights', 'has every right in Vault that it needs')
      : failed('vault.rights', `lacks rights in Vault: ${missing.join(', ')}`, fix),
    excess.length === 0
      ? ok('vault.least_privilege', 'has none of the rights that it must not have')
      : failed(
          'vault.least_privilege',
          `has rights in Vault that it must not have: ${excess.join(', ')}`,
          fix,
        ),
  ];
}
