import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** How to start a program: the command and its first arguments. */
export interface Launch {
  command: string;
  args: string[];
}

interface Effort {
  signal: AbortSignal;
  onProgress: (message: string) => void;
}

/** A program, and the package of Debian or Ubuntu that has it. */
export interface DebianProgram {
  package: string;
  /** From the root of the file system, without a slash before it. */
  path: string;
}

/**
 * Takes a program out of the packages of Debian or Ubuntu into `folder`, without root and without
 * installing anything, unless it is there already. Callers may run at the same time: each unpacks
 * apart, and the first rename wins.
 */
export async function programFromDebianPackage(
  program: DebianProgram,
  folder: string,
  effort: Effort,
): Promise<Launch> {
  if (!existsSync(folder)) await unpack(program.package, folder, effort);
  const libraries = await libraryFolders(folder);
  return {
    // env replaces itself with the program, so the process id stays the one that was spawned.
    command: 'env',
    args: [`LD_LIBRARY_PATH=${libraries.join(':')}`, join(folder, program.path)],
  };
}

async function unpack(name: string, folder: string, effort: Effort): Promise<void> {
  effort.onProgress(`fetching ${name} from the operating system's packages …`);
  await mkdir(dirname(folder), { recursive: true });
  const workshop = await mkdtemp(`${folder}-`);
  try {
    const root = await fetchPackages(name, workshop, effort);
    await rename(root, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
}

async function fetchPackages(
  name: string,
  workshop: string,
  { signal, onProgress }: Effort,
): Promise<string> {
  try {
    return await downloadInto(join(workshop, 'root'), name, [], signal);
  } catch {
    signal.throwIfAborted();
    // A fresh image has no package lists; old lists name versions that the mirror no longer has.
    onProgress('fetching the list of packages …');
    const options = await privateLists(workshop);
    await run('apt-get', [...options, 'update'], workshop, signal);
    return await downloadInto(join(workshop, 'root-from-fresh-lists'), name, options, signal);
  }
}

/** Lists and caches of our own, so that `apt-get update` needs no root. */
async function privateLists(workshop: string): Promise<string[]> {
  const lists = join(workshop, 'lists');
  const cache = join(workshop, 'cache');
  await mkdir(join(lists, 'partial'), { recursive: true });
  await mkdir(join(cache, 'archives/partial'), { recursive: true });
  // Started by root, apt would drop to a user that may not enter this folder.
  const settings = [`Dir::State::lists=${lists}`, `Dir::Cache=${cache}`, 'APT::Sandbox::User=root'];
  return settings.flatMap((setting) => ['-o', setting]);
}

async function downloadInto(
  root: string,
  name: string,
  options: string[],
  signal: AbortSignal,
): Promise<string> {
  const archives = `${root}-archives`;
  await mkdir(root);
  await mkdir(archives);
  const packages = await missingPackages(name, (names) =>
    run('apt-cache', [...options, 'depends', '--important', ...names], archives, signal),
  );
  await run('apt-get', [...options, ...bounds, 'download', ...packages], archives, signal);
  for (const archive of await readdir(archives))
    await run('dpkg-deb', ['-x', archive, root], archives, signal);
  return root;
}

const bounds = ['-o', 'Acquire::http::Timeout=20', '-o', 'Acquire::Retries=2'];

/** A package and, of what it needs, the libraries that this machine lacks. */
async function missingPackages(
  wanted: string,
  dependsOf: (names: string[]) => Promise<string>,
): Promise<string[]> {
  const [family = wanted] = wanted.split('-');
  const { stdout } = await execute('dpkg-query', ['-W', '-f', '${db:Status-Abbrev} ${Package}\n']);
  const installed = new Set(stdout.split('\n').flatMap((line) => /^ii +(\S+)/.exec(line)?.[1] ?? []));
  const found = new Set<string>();
  let next = [wanted];
  while (next.length > 0) {
    for (const name of next) found.add(name);
    const needed = neededPackages(await dependsOf(next), family);
    next = needed.filter((name) => !installed.has(name) && !found.has(name));
  }
  return [...found];
}

/** The first choice of every dependency in the output of `apt-cache depends` that a bare program needs. */
function neededPackages(output: string, family: string): string[] {
  const names = output
    .split('\n')
    .filter((line, index, lines) => !lines[index - 1]?.trimStart().startsWith('|'))
    .flatMap((line) => /^ +\|?Depends: (\S+)$/.exec(line)?.[1] ?? [])
    .filter((name) => name.startsWith(family) || /^(lib|lua|zlib)/.test(name));
  return [...new Set(names)];
}

async function run(tool: string, args: string[], cwd: string, signal: AbortSignal): Promise<string> {
  const { stdout } = await execute('env', ['LC_ALL=C', tool, ...args], { cwd, signal, maxBuffer: 64 << 20 });
  return stdout;
}

async function libraryFolders(root: string): Promise<string[]> {
  const folders: string[] = [];
  for (const base of ['usr/lib', 'lib'].map((name) => join(root, name)).filter((name) => existsSync(name))) {
    const entries = await readdir(base, { withFileTypes: true });
    const perArchitecture = entries.filter((entry) => entry.isDirectory() && entry.name.includes('-linux-'));
    folders.push(base, ...perArchitecture.map((entry) => join(base, entry.name)));
  }
  return folders;
}
