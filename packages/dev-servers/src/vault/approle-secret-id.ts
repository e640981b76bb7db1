import { createHash, randomUUID } from 'node:crypto';
import type { RoleStorage } from './approle-role.ts';
import type { Fields } from './fields.ts';

/** A secret id as it is stored: never the id itself, which is only known by its hash. */
interface SecretId {
  accessor: string;
  /** Milliseconds since the epoch. */
  createdAt: number;
  expiresAt: number | null;
  /** Seconds; 0: for ever. */
  ttl: number;
  /** Logins left; 0 means unlimited. */
  numUses: number;
}

/** @param ttl in seconds; 0: for ever */
export function createSecretId(storage: RoleStorage, role: string, ttl: number, numUses: number): Fields {
  const now = storage.now();
  const secretId = randomUUID();
  const expiresAt = ttl > 0 ? now + ttl * 1000 : null;
  const stored: SecretId = { accessor: randomUUID(), createdAt: now, expiresAt, ttl, numUses };
  storage.barrier.put(location(storage, role, secretId), stored, expiresAt);
  return {
    secret_id: secretId,
    secret_id_accessor: stored.accessor,
    secret_id_num_uses: numUses,
    secret_id_ttl: ttl,
  };
}

/** Takes one use of a secret id. Returns whether it was good for one. */
export function spendSecretId(storage: RoleStorage, role: string, secretId: string): boolean {
  const path = location(storage, role, secretId);
  const stored = readSecretId(storage, role, secretId);
  if (!stored) return false;
  const { numUses, expiresAt } = stored;
  if (numUses === 1) storage.barrier.delete(path);
  else if (numUses > 1) storage.barrier.put(path, { ...stored, numUses: numUses - 1 }, expiresAt);
  return true;
}

export function readSecretId(storage: RoleStorage, role: string, secretId: string): SecretId | undefined {
  const stored = storage.barrier.get(location(storage, role, secretId)) as SecretId | undefined;
  const isOver = stored && stored.expiresAt !== null && stored.expiresAt <= storage.now();
  return isOver ? undefined : stored;
}

export function deleteSecretId(storage: RoleStorage, role: string, secretId: string): void {
  storage.barrier.delete(location(storage, role, secretId));
}

export function secretIdAccessors({ barrier, prefix }: RoleStorage, role: string): string[] {
  const folder = `${prefix}secret-id/${role}/`;
  return barrier.list(folder).map((hash) => (barrier.get(folder + hash) as SecretId).accessor);
}

export function showSecretId(stored: SecretId): Fields {
  return {
    creation_time: new Date(stored.createdAt).toISOString(),
    // Go's zero time stands for never.
    expiration_time:
      stored.expiresAt === null ? '0001-01-01T00:00:00Z' : new Date(stored.expiresAt).toISOString(),
    secret_id_accessor: stored.accessor,
    secret_id_num_uses: stored.numUses,
    secret_id_ttl: stored.ttl,
  };
}

function location({ prefix }: RoleStorage, role: string, secretId: string): string {
  return `${prefix}secret-id/${role}/${createHash('sha256').update(secretId).digest('hex')}`;
}
