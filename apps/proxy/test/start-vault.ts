import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provisionVault, startEmbeddedVault, type EmbeddedVault } from '@connectors/dev-servers';

export interface RunningVault extends EmbeddedVault {
  /** The login of a proxy, with the policy that is shipped for it. */
  appRole: { roleId: string; secretId: string };
}

/** A Vault, provisioned as for production. */
export async function startVault(): Promise<RunningVault> {
  const vault = await startEmbeddedVault();
  const approleDir = await mkdtemp(join(tmpdir(), 'approle-'));
  try {
    await provisionVault({ address: vault.url, token: vault.rootToken, approleDir, auditLog: 'off' });
    const read = (name: string) => readFile(join(approleDir, 'proxy', name), 'utf8');
    const [roleId, secretId] = await Promise.all([read('role-id'), read('secret-id')]);
    return { ...vault, appRole: { roleId: roleId.trim(), secretId: secretId.trim() } };
  } finally {
    await rm(approleDir, { recursive: true });
  }
}
