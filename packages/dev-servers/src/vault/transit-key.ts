import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { VaultError } from './request.ts';

/** A named encryption key (`aes256-gcm96`) with all its versions. */
export interface TransitKey {
  name: string;
  /** By version number, from 1. `createdAt` in seconds since the epoch. */
  versions: Record<string, { key: string; createdAt: number }>;
  latestVersion: number;
  minDecryptionVersion: number;
  /** 0 means the latest. */
  minEncryptionVersion: number;
  deletionAllowed: boolean;
}

export function newKey(name: string, now: number): TransitKey {
  return rotated(
    {
      name,
      versions: {},
      latestVersion: 0,
      minDecryptionVersion: 1,
      minEncryptionVersion: 0,
      deletionAllowed: false,
    },
    now,
  );
}

export function rotated(key: TransitKey, now: number): TransitKey {
  const latestVersion = key.latestVersion + 1;
  const version = { key: randomBytes(32).toString('base64'), createdAt: Math.trunc(now / 1000) };
  return { ...key, latestVersion, versions: { ...key.versions, [latestVersion]: version } };
}

/** @param version the key version to use; 0 or absent means the latest */
export function encrypt(
  key: TransitKey,
  plaintext: Uint8Array,
  associatedData: Uint8Array,
  version = 0,
): { ciphertext: string; version: number } {
  const chosen = version === 0 ? key.latestVersion : version;
  if (chosen < 0) throw new VaultError(400, 'requested version for encryption is negative');
  if (chosen > key.latestVersion) {
    throw new VaultError(400, 'requested version for encryption is higher than the latest key version');
  }
  if (chosen < key.minEncryptionVersion) {
    throw new VaultError(
      400,
      'requested version for encryption is less than the minimum encryption key version',
    );
  }
  if (chosen < key.minDecryptionVersion) throw new VaultError(400, 'no such key version');
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', bytesOf(key, chosen), nonce).setAAD(associatedData);
  const sealed = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return { ciphertext: `vault:v${chosen}:${sealed.toString('base64')}`, version: chosen };
}

export function decrypt(key: TransitKey, ciphertext: string, associatedData: Uint8Array): Buffer {
  const { version, sealed } = parse(ciphertext);
  if (version > key.latestVersion) throw new VaultError(400, 'invalid ciphertext: version is too new');
  if (version < key.minDecryptionVersion) {
    throw new VaultError(400, 'ciphertext or signature version is disallowed by policy (too old)');
  }
  if (sealed.length < 12) throw new VaultError(400, 'invalid ciphertext length');
  try {
    const decipher = createDecipheriv('aes-256-gcm', bytesOf(key, version), sealed.subarray(0, 12));
    decipher.setAAD(associatedData).setAuthTag(sealed.subarray(Math.max(12, sealed.length - 16)));
    return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
  } catch {
    throw new VaultError(400, 'cipher: message authentication failed');
  }
}

function parse(ciphertext: string): { version: number; sealed: Buffer } {
  if (!ciphertext.startsWith('vault:v')) throw new VaultError(400, 'invalid ciphertext: no prefix');
  const [number, body, ...rest] = ciphertext.slice('vault:v'.length).split(':');
  if (body === undefined || rest.length > 0)
    throw new VaultError(400, 'invalid ciphertext: wrong number of fields');
  if (!/^\d+$/.test(number ?? '')) {
    throw new VaultError(400, 'invalid ciphertext: version number could not be decoded');
  }
  const fault = base64Fault(body);
  if (fault !== undefined) throw new VaultError(400, 'invalid ciphertext: could not decode base64');
  // Version 0 is how Vault before 0.3 called version 1.
  return { version: Math.max(1, Number(number)), sealed: Buffer.from(body, 'base64') };
}

function bytesOf(key: TransitKey, version: number): Buffer {
  const found = key.versions[version];
  if (!found) throw new VaultError(400, 'no such key version');
  return Buffer.from(found.key, 'base64');
}

/** Where a text stops being standard, padded base64, as Go counts; `undefined` when it is. */
export function base64Fault(text: string): number | undefined {
  const illegal = text.search(/[^A-Za-z0-9+/\r\n]/);
  const end = illegal === -1 ? text.length : illegal;
  const inQuantum = text.slice(0, end).replaceAll(/[\r\n]/g, '').length % 4;
  if (end === text.length) return inQuantum === 0 ? undefined : end - inQuantum;
  if (text[end] !== '=' || inQuantum < 2) return end;
  const padding = inQuantum === 2 ? '==' : '=';
  const rest = text.slice(end).replaceAll(/[\r\n]/g, '');
  const common = rest.startsWith(padding) ? padding.length : 1;
  return rest === padding ? undefined : end + common;
}
