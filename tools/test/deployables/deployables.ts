import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

export const repository = fileURLToPath(new URL('../../../', import.meta.url));

export function read(path: string): string {
  return readFileSync(join(repository, path), 'utf8');
}

/** The documents of a YAML file; an error or a warning of the parser is thrown. */
export function readYaml(path: string): unknown[] {
  return [...parseAllDocuments(read(path), { merge: true })].map((document) => {
    for (const problem of [...document.errors, ...document.warnings]) throw problem;
    return document.toJS() as unknown;
  });
}

/** All files below a folder, as paths from the top of the repository. */
export function filesBelow(folder: string): string[] {
  return readdirSync(join(repository, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(repository.length));
}

/** A version that does not move: three numbers, with a suffix or without. */
export const pinned = /:v?\d+\.\d+\.\d+(-[a-z0-9-]+)?$/;

/** Whether a variable of this name holds what must not be read by others. */
export function isSecretName(name: string): boolean {
  return /(TOKEN|PASSWORD|SECRET|KEY)$/.test(name);
}
