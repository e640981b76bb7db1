import { AdminApiError, AdminClient, type AdminClientOptions } from '@connectors/admin-client';
import { readRunFile } from '../start/state.ts';
import { CommandError } from './command.ts';

/** The operator's API of the console. What goes wrong is a CommandError that says what to do next. */
export type AdminApi = Pick<AdminClient, 'call'>;

interface Access {
  consoleUrl: string;
  adminToken: string;
  /** Whether it is the system that `start` runs on this machine. */
  isLocal: boolean;
}

/** @throws CommandError when nobody says where the console is */
export function openAdminApi(
  env: Readonly<Record<string, string | undefined>>,
  options: Pick<AdminClientOptions, 'timeoutMs'> = {},
): AdminApi {
  const access = findAccess(env);
  const client = new AdminClient({ ...options, ...access });
  return {
    call: async (...call) => {
      try {
        return await client.call(...call);
      } catch (error) {
        throw new CommandError(
          error instanceof AdminApiError ? explain(error, access) : noAnswer(error, access),
        );
      }
    },
  };
}

function findAccess({ CONSOLE_URL, ADMIN_TOKEN }: Readonly<Record<string, string | undefined>>): Access {
  if (CONSOLE_URL && ADMIN_TOKEN) {
    // Errors show the address, and nothing in front of an @ is for eyes.
    if (!/^https?:\/\/[^@/?#]+\/*$/i.test(CONSOLE_URL) || !URL.canParse(CONSOLE_URL)) {
      throw new CommandError(
        'CONSOLE_URL has to be an http or https address, without path, user and password.',
      );
    }
    if (!/^[\x21-\x7e]+$/.test(ADMIN_TOKEN)) {
      throw new CommandError(
        'ADMIN_TOKEN holds a space, a line break or another character that no token has.',
      );
    }
    return { consoleUrl: CONSOLE_URL.replace(/\/+$/, ''), adminToken: ADMIN_TOKEN, isLocal: false };
  }
  // One of them alone must not be completed from here: this machine's token is for this machine's console.
  if (CONSOLE_URL || ADMIN_TOKEN) {
    throw new CommandError(
      `${CONSOLE_URL ? 'ADMIN_TOKEN' : 'CONSOLE_URL'} is missing: set both, or neither.`,
    );
  }
  const run = readRunFile();
  if (run !== undefined) return { ...run, isLocal: true };
  throw new CommandError(
    'No console is known. Set CONSOLE_URL and ADMIN_TOKEN to those of the worker, or start the system on this machine: npx pnpm@12 start',
  );
}

function explain({ status, problem, retryAfterMs }: AdminApiError, access: Access): string {
  if (problem === undefined) return notTheConsole(access, status);
  if (problem.code === 'admin_unauthenticated') {
    return `The console at ${access.consoleUrl} refuses the admin token. ADMIN_TOKEN has to be the worker’s.`;
  }
  if (retryAfterMs === undefined) return problem.detail;
  return `${problem.detail.replace(/\.$/, '')}. Try again in ${retryAfterMs / 1_000} s.`;
}

function noAnswer(error: unknown, access: Access): string {
  if (error instanceof SyntaxError) return notTheConsole(access, 'what is no JSON');
  if ((error as Error).name === 'TimeoutError') {
    return `The console at ${access.consoleUrl} takes too long to answer. It may still do what it was asked for: look before you repeat it.`;
  }
  const hint = access.isLocal
    ? 'Start it: npx pnpm@12 start'
    : 'Check CONSOLE_URL, and whether the worker runs.';
  return `The console at ${access.consoleUrl} does not answer. ${hint}`;
}

function notTheConsole({ consoleUrl }: Access, answer: number | string): string {
  return `${consoleUrl} answered ${answer}: is it the console? CONSOLE_URL has to be the worker’s.`;
}
