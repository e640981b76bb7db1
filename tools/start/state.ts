import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Everything this machine keeps between two starts. */
export const dataDir = process.env['CONNECTORS_DATA_DIR'] ?? join(import.meta.dirname, '../../.data');
export const logDir = join(dataDir, 'logs');
const runFile = join(dataDir, 'run.json');

/** How to use what runs, for programs; `.data/run.json`. */
export interface RunFile {
  pid: number;
  proxyUrl: string;
  consoleUrl: string;
  adminToken: string;
  agentKey: string;
  tenantId: string;
  integration: string;
  rest: { url: string; headers: Record<string, string> };
  mcp: { url: string; headers: Record<string, string> };
  /** What the two apps are started with. */
  environments: { worker: Record<string, string>; proxy: Record<string, string> };
}

export function prepareDataDir(): void {
  mkdirSync(logDir, { recursive: true, mode: 0o700 });
}

const pidFile = join(dataDir, 'pid');
let lock: DatabaseSync | undefined;

/**
 * Takes the data directory for this process until it ends: SQLite's lock is the kernel's, which lets go
 * of it however we end.
 *
 * @returns undefined, or the process id of the start that has it
 */
export function lockDataDir(): string | undefined {
  lock = new DatabaseSync(join(dataDir, 'lock'), { timeout: 0 });
  try {
    lock.exec('BEGIN IMMEDIATE');
  } catch (error) {
    if ((error as { errcode?: number }).errcode !== sqliteBusy) throw error;
    return existsSync(pidFile) ? readFileSync(pidFile, 'utf8') : 'unknown';
  }
  writeFileSync(pidFile, String(process.pid));
  return undefined;
}

const sqliteBusy = 5;

/** The run file of the last start, if there was one. */
export function readRunFile(): RunFile | undefined {
  return existsSync(runFile) ? (JSON.parse(readFileSync(runFile, 'utf8')) as RunFile) : undefined;
}

export function writeRunFile(run: RunFile): void {
  writeFileSync(runFile, `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600 });
}

/** A secret made on the first start and kept in a file that only its owner reads. */
export function keptSecret(name: string): string {
  const file = join(dataDir, name);
  if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}
