import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Mutation } from './mutation.ts';

const root = join(import.meta.dirname, '../..');

/** A copy of the workspace's sources in which the code may be broken. */
export interface Sandbox {
  folder: string;
  /** Breaks one thing, until the result is disposed of. */
  apply(mutation: Mutation): Disposable;
  remove(): void;
}

const leftOut = new Set(['node_modules', '.git', '.data', 'coverage']);

export function openSandbox(): Sandbox {
  const folder = mkdtempSync(join(tmpdir(), 'mutants-'));
  cpSync(root, folder, { recursive: true, filter: (path) => !leftOut.has(basename(path)) });
  linkModules(folder);
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', remove);
  return {
    folder,
    apply(mutation) {
      const file = join(folder, mutation.file);
      const original = readFileSync(file, 'utf8');
      writeFileSync(file, mutate(original, mutation));
      return { [Symbol.dispose]: () => writeFileSync(file, original) };
    },
    remove,
  };
}

/** What is installed is shared; but a member finds the other members in the copy, for its links to them are relative. */
function linkModules(folder: string): void {
  mkdirSync(join(folder, 'node_modules'));
  for (const name of readdirSync(join(root, 'node_modules')).filter((name) => !/^\.(?!pnpm$)/.test(name)))
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  const members = ['packages', 'apps'].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => join(parent, name, 'node_modules')),
  );
  for (const modules of members.filter((path) => existsSync(join(root, path))))
    cpSync(join(root, modules), join(folder, modules), { recursive: true, verbatimSymlinks: true });
}

/** @throws {Error} when the text does not stand there exactly once: the code has moved on, and the mutation must follow */
export function mutate(source: string, { without, file, text, replacement }: Mutation): string {
  const [before, after, ...more] = source.split(text);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`Without ${without}: its text must stand exactly once in ${file}:\n${text}`);
  return before + replacement + after;
}
