import type { VaultConfig } from '@connectors/vault-core';
import { findingsOf, type Finding } from './finding.ts';

type Mounts = Pick<VaultConfig, 'VAULT_TRANSIT_ENGINE' | 'VAULT_REFRESH_TRANSIT_ENGINE' | 'VAULT_KV_ENGINE'>;

/** What an app must be allowed on each path, and what it must not. */
interface Rights {
  needs: Record<string, string[]>;
  mustNot: Record<string, string[]>;
}

/** The paths of a tenant and an integration that need not exist. */
export function rightsOf(app: 'worker' | 'proxy', mounts: Mounts): Rights {
  const {
    VAULT_TRANSIT_ENGINE: transit,
    VAULT_REFRESH_TRANSIT_ENGINE: refresh,
    VAULT_KV_ENGINE: kv,
  } = mounts;
  const writing = ['create', 'update', 'delete'];
  if (app === 'proxy')
    return {
      needs: {
        [`${kv}/data/tenant/integration`]: ['read'],
        [`${kv}/data/_agents/agent`]: ['read'],
        [`${transit}/decrypt/tenant`]: ['update'],
      },
      mustNot: {
        [`${refresh}/decrypt/tenant`]: ['update'],
        [`${refresh}/datakey/plaintext/_spool`]: ['update'],
        [`${kv}/data/_clients/integration`]: ['read', ...writing],
        [`${kv}/data/tenant/integration`]: writing,
        [`${kv}/data/_agents/agent`]: writing,
      },
    };
  const keys = (mount: string) => ({
    [`${mount}/keys/tenant`]: ['create', 'read', 'update', 'delete'],
    [`${mount}/keys/tenant/config`]: ['update'],
    [`${mount}/encrypt/tenant`]: ['update'],
    [`${mount}/decrypt/tenant`]: ['update'],
  });
  return {
    needs: {
      [`${kv}/data/tenant/integration`]: ['read', ...writing],
      [`${kv}/data/_agents/agent`]: ['read', ...writing],
      [`${kv}/destroy/tenant/integration`]: ['update'],
      [`${kv}/metadata/`]: ['list'],
      [`${kv}/metadata/tenant/`]: ['list'],
      [`${kv}/metadata/tenant/integration`]: ['read', 'delete'],
      ...keys(transit),
      ...keys(refresh),
      [`${refresh}/datakey/plaintext/_spool`]: ['update'],
    },
    // A key that an encryption makes hides a mistyped tenant.
    mustNot: { [`${transit}/encrypt/tenant`]: ['create'], [`${refresh}/encrypt/tenant`]: ['create'] },
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
