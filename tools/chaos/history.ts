import { integration, type Fleet } from '../fleet/start-fleet.ts';
import type { StoredVersion } from './explain.ts';

interface Answer<Data> {
  data: Data;
}

interface Document {
  data: { metadata: Pick<StoredVersion, 'revision' | 'status' | 'statusReason' | 'attempt'> } | null;
}

/**
 * The versions of a credential's document that Vault still has, oldest first.
 *
 * @throws {Error} when Vault does not answer
 */
export async function readHistory({ vault, vaultToken }: Fleet, tenantId: string): Promise<StoredVersion[]> {
  const read = async <Data>(path: string): Promise<Data> => {
    const response = await fetch(`${vault.url}/v1/secret/${path}`, {
      headers: { 'x-vault-token': vaultToken },
      signal: AbortSignal.timeout(5_000),
    });
    if (!response.ok) throw new Error(`Vault answered ${response.status}`);
    return ((await response.json()) as Answer<Data>).data;
  };
  const { versions } = await read<{ versions: Record<string, { created_time: string }> }>(
    `metadata/${tenantId}/${integration}`,
  );
  const history: StoredVersion[] = [];
  for (const [number, { created_time: createdAt }] of Object.entries(versions)) {
    const { data } = await read<Document>(`data/${tenantId}/${integration}?version=${number}`);
    if (data === null) continue;
    const { revision, status, statusReason, attempt } = data.metadata;
    history.push({
      version: Number(number),
      at: Date.parse(createdAt),
      revision,
      status,
      ...(statusReason === undefined ? {} : { statusReason }),
      ...(attempt === undefined ? {} : { attempt }),
    });
  }
  return history;
}
