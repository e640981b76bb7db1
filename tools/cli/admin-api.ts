import { readRunFile } from '../start/state.ts';
import { CommandError } from './command.ts';

/** The operator's API of the console. */
export interface AdminApi {
  /** The answer's body; absent if it has none. */
  call(method: string, path: string, body?: object): Promise<unknown>;
}

interface Access {
  consoleUrl: string;
  adminToken: string;
  /** Whether it is the system that `start` runs on this machine. */
  isLocal: boolean;
}

const timeoutMs = 30_000;

/** @throws CommandError when nobody says where the console is */
export function openAdminApi(env: Readonly<Record<string, string | undefined>>): AdminApi {
  const access = findAccess(env);
  return { call: (method, path, body) => call(access, method, path, body) };
}

function findAccess({ CONSOLE_URL, ADMIN_TOKEN }: Readonly<Record<string, string | undefined>>): Access {
  if (CONSOLE_URL && ADMIN_TOKEN) {
    // Errors show the address, and nothing in front of an @ is for eyes.
    if (!/^https?:\/\/[^@]+$/i.test(CONSOLE_URL)) {
      throw new CommandError('CONSOLE_URL has to be an http or https address, without user and password.');
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

async function call(access: Access, method: string, path: string, body?: object): Promise<unknown> {
  const { response, text } = await send(access, method, path, body);
  if (response.ok) return text === '' ? undefined : readJson(text, access);
  throw new CommandError(explain(response, text, access));
}

async function send(
  { consoleUrl, adminToken, isLocal }: Access,
  method: string,
  path: string,
  body?: object,
): Promise<{ response: Response; text: string }> {
  try {
    const response = await fetch(`${consoleUrl}/admin${path}`, {
      method,
      // The token is for nobody else.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        authorization: `Bearer ${adminToken}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { response, text: await response.text() };
  } catch {
    const hint = isLocal ? 'Start it: npx pnpm@12 start' : 'Check CONSOLE_URL, and whether the worker runs.';
    throw new CommandError(`The console at ${consoleUrl} does not answer. ${hint}`);
  }
}

function explain({ status, headers }: Response, text: string, access: Access): string {
  if (status === 401) {
    return `The console at ${access.consoleUrl} refuses the admin token. ADMIN_TOKEN has to be the worker’s.`;
  }
  if (headers.get('content-type')?.startsWith('application/problem+json') !== true) {
    return notTheConsole(access, status);
  }
  const { detail } = readJson(text, access) as { detail?: string };
  const wait = headers.get('retry-after');
  return `${detail ?? `It answered ${status}.`}${wait === null ? '' : ` Try again in ${wait} s.`}`;
}

function readJson(text: string, access: Access): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CommandError(notTheConsole(access, 'what is no JSON'));
  }
}

function notTheConsole({ consoleUrl }: Access, answer: number | string): string {
  return `${consoleUrl} answered ${answer}: is it the console? CONSOLE_URL has to be the worker’s.`;
}
