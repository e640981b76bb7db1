import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** The key in a file that was written by {@link createKeyFile}, or `undefined` when there is no such file. */
export function readKeyFile(file: string): Buffer | undefined {
  if (!existsSync(file)) return undefined;
  const key = decodeKey(readFileSync(file, 'utf8'));
  if (!key) throw new Error(`${file} does not hold a key`);
  return key;
}

/** Creates a random 256-bit key, readable by its owner only and on disk before this returns. */
export function createKeyFile(file: string): Buffer {
  const key = randomBytes(32);
  writePrivate(file, `${key.toString('base64')}\n`);
  return key;
}

/** Decodes a key in base64 or hex. */
export function decodeKey(text: string): Buffer | undefined {
  const trimmed = text.trim();
  const key = Buffer.from(trimmed, /^[0-9a-fA-F]{64}$/.test(trimmed) ? 'hex' : 'base64');
  return key.length === 32 ? key : undefined;
}

/** Writes a file with mode 0600: whole or not at all, also when the machine dies meanwhile. */
export function writePrivate(file: string, text: string): void {
  const draft = `${file}.new`;
  const handle = openSync(draft, 'w', 0o600);
  writeSync(handle, text);
  fsyncSync(handle);
  closeSync(handle);
  renameSync(draft, file);
  const folder = openSync(dirname(file), 'r');
  fsyncSync(folder);
  closeSync(folder);
}
