import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fleet } from './start-fleet.ts';

type Vault = Pick<Fleet, 'vault' | 'vaultToken'>;

/** Seals the Vault of a fleet: it answers, and refuses everything. */
export async function sealVault(fleet: Vault): Promise<void> {
  await put(fleet, 'seal', {});
}

/** @param dir the folder of the fleet */
export async function unsealVault(fleet: Vault, dir: string): Promise<void> {
  await put(fleet, 'unseal', { key: readFileSync(join(dir, 'vault/unseal-key'), 'utf8').trim() });
}

async function put({ vault, vaultToken }: Vault, path: string, body: object): Promise<void> {
  const response = await fetch(`${vault.url}/v1/sys/${path}`, {
    method: 'PUT',
    headers: { 'x-vault-token': vaultToken },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`Vault answered ${response.status} to sys/${path}`);
}
