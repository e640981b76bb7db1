import type { Fields } from './fields.ts';
import { VaultError } from './request.ts';

/** One version of a secret. Times in milliseconds since the epoch. */
interface Version {
  createdAt: number;
  /** From when on it reads as deleted; `null`: never. */
  deletedAt: number | null;
  destroyed: boolean;
  data: Fields | null;
}

/** A secret with its versions and metadata: one stored value, so that every change of it is atomic. */
export interface KvSecret {
  createdAt: number;
  updatedAt: number;
  /** 0 while only metadata were written. */
  current: number;
  /** 0 until a version was dropped. */
  oldest: number;
  versions: Record<string, Version>;
  settings: KvSettings;
  customMetadata: Record<string, string> | null;
}

/** The settings of a mount or of one secret; what is not set is left to the other. */
export interface KvSettings {
  /** 0: not set. */
  maxVersions: number;
  casRequired: boolean;
  /** Seconds; 0: not set. */
  deleteVersionAfter: number;
}

export const noSettings: KvSettings = { maxVersions: 0, casRequired: false, deleteVersionAfter: 0 };

const defaultMaxVersions = 10;

export function newSecret(now: number): KvSecret {
  return {
    createdAt: now,
    updatedAt: now,
    current: 0,
    oldest: 0,
    versions: {},
    settings: noSettings,
    customMetadata: null,
  };
}

/**
 * Refuses a write whose check-and-set parameter is not the current version (0: that there is none).
 *
 * @throws {VaultError} 400
 */
export function checkCas(secret: KvSecret | undefined, mount: KvSettings, cas: number | undefined): void {
  if (cas === undefined) {
    if (!mount.casRequired && !secret?.settings.casRequired) return;
    throw new VaultError(400, 'check-and-set parameter required for this call');
  }
  if (cas !== (secret?.current ?? 0)) {
    throw new VaultError(400, 'check-and-set parameter did not match the current version');
  }
}

/** The secret with `data` as its next version, and without the versions beyond its maximum. */
export function withVersion(secret: KvSecret, mount: KvSettings, data: Fields | null, now: number): KvSecret {
  const current = secret.current + 1;
  const lifetimes = [secret.settings.deleteVersionAfter, mount.deleteVersionAfter].filter((ttl) => ttl > 0);
  const deletedAt = lifetimes.length > 0 ? now + Math.min(...lifetimes) * 1000 : null;
  const version: Version = { createdAt: now, deletedAt, destroyed: false, data };
  const versions: KvSecret['versions'] = { ...secret.versions, [current]: version };
  const keep = secret.settings.maxVersions || mount.maxVersions || defaultMaxVersions;
  const oldest = current - keep + 1;
  if (oldest <= 1) return { ...secret, current, updatedAt: now, versions };
  const kept = Object.entries(versions).filter(([number]) => Number(number) >= oldest);
  return { ...secret, current, oldest, updatedAt: now, versions: Object.fromEntries(kept) };
}

export function deleted(secret: KvSecret, numbers: number[], now: number): KvSecret {
  return change(secret, numbers, (version) =>
    isGone(version, now) ? version : { ...version, deletedAt: now },
  );
}

export function undeleted(secret: KvSecret, numbers: number[]): KvSecret {
  return change(secret, numbers, (version) =>
    version.destroyed ? version : { ...version, deletedAt: null },
  );
}

export function destroyed(secret: KvSecret, numbers: number[]): KvSecret {
  return change(secret, numbers, (version) => ({ ...version, destroyed: true, data: null }));
}

/** Deleted or destroyed. */
export function isGone(version: Version, now: number): boolean {
  return version.destroyed || (version.deletedAt !== null && version.deletedAt <= now);
}

/** A JSON merge patch (RFC 7396). */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const base = typeof target === 'object' && target !== null && !Array.isArray(target) ? target : {};
  const merged: Fields = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

/** `metadata` of an answer about one version. */
export function showVersion(secret: KvSecret, number: number): Fields {
  return {
    ...showTimes(secret.versions[number]),
    custom_metadata: secret.customMetadata,
    version: number,
  };
}

export function showTimes(version: Version | undefined): Fields {
  return {
    created_time: timestamp(version?.createdAt ?? 0),
    deletion_time: version?.deletedAt ? timestamp(version.deletedAt) : '',
    destroyed: version?.destroyed ?? false,
  };
}

export function timestamp(time: number): string {
  return new Date(time).toISOString();
}

function change(secret: KvSecret, numbers: number[], turn: (version: Version) => Version): KvSecret {
  const versions = { ...secret.versions };
  for (const number of numbers) {
    const version = versions[number];
    if (version) versions[number] = turn(version);
  }
  return { ...secret, versions };
}
