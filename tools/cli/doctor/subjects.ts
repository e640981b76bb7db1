import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { dataDir, readRunFile } from '../../start/state.ts';
import { CommandError } from '../command.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What is examined: the environments that the two apps are started with. */
export interface Subjects {
  worker?: Environment;
  proxy?: Environment;
  /** A Vault token that may see what neither app may, such as audit devices. */
  operatorToken?: string;
}

export interface SubjectOptions {
  workerEnv?: string;
  proxyEnv?: string;
  /** Whose environment this process has, if it has one of them. */
  app: 'worker' | 'proxy';
  vaultTokenFile?: string;
}

/**
 * The files that are named, else this process's own environment, else the system that `start` runs here.
 *
 * @throws CommandError when there is none of them
 */
export function findSubjects(options: SubjectOptions, env: Environment): Subjects {
  const { workerEnv, proxyEnv, vaultTokenFile } = options;
  const token = vaultTokenFile === undefined ? {} : { operatorToken: readText(vaultTokenFile).trim() };
  if (workerEnv !== undefined || proxyEnv !== undefined)
    return {
      ...(workerEnv === undefined ? {} : { worker: parseEnv(readText(workerEnv)) }),
      ...(proxyEnv === undefined ? {} : { proxy: parseEnv(readText(proxyEnv)) }),
      ...token,
    };
  if (env['VAULT_ADDR'] || env['REDIS_URL']) return { [options.app]: env, ...token };
  const run = readRunFile();
  if (run?.environments === undefined)
    throw new CommandError(
      'There is nothing to examine. Run it with the environment of a worker, name files with --worker-env and --proxy-env, or start the system on this machine: npx pnpm@12 start',
    );
  const rootToken = join(dataDir, 'vault/root-token');
  return {
    ...run.environments,
    ...(existsSync(rootToken) ? { operatorToken: readText(rootToken).trim() } : {}),
    ...token,
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}
