import { setTimeout as delay } from 'node:timers/promises';
import type { Event, Operations } from '@connectors/admin-client';
import { openAdminApi, type AdminApi } from '../admin-api.ts';
import { CommandError, type Command } from '../command.ts';
import { readDuration } from '../keys/duration.ts';
import { readOptions } from '../options.ts';
import { readSince } from './events.ts';
import { shownTime } from './print.ts';

const pollMs = 1_000;

type SessionBody = Operations['createConnectSession']['body'];
type Connected = Extract<Event, { type: 'connected' }>;

interface ConnectValues {
  scope?: string[];
  'return-url'?: string;
  user?: string;
  expires?: string;
  'no-wait'?: boolean;
  json?: boolean;
}

export const connect: Command = {
  summary: 'makes a link with which a tenant’s user connects an integration',
  usage: `usage: npx pnpm@12 connectors connect <tenant> [<integration>] [options] [--json]

Prints only the link to stdout, and waits until somebody has connected with it. It works once. Without an integration it opens
the tenant's page. With --json it prints two lines: the session, and the event that ends the wait.

  --scope <scope>      requested instead of the integration's scopes; may be repeated
  --user <name>        your name for the user: shown to them, and stored with what they connect
  --return-url <url>   where they go afterwards, at one of CONNECT_RETURN_ORIGINS
  --expires 15m        how long the link is valid, from 1m to 1h
  --no-wait            only print the link`,
  run: async (args) => {
    const { values, operands } = readOptions(args, ['tenant', 'integration?'], {
      scope: { type: 'string', multiple: true },
      'return-url': { type: 'string' },
      user: { type: 'string' },
      expires: { type: 'string' },
      'no-wait': { type: 'boolean' },
    });
    const [tenantId = '', integration] = operands;
    const { 'no-wait': noWait = false, json = false, ...options } = values as ConnectValues;
    const api = openAdminApi(process.env);
    const last = (await readSince(api, tenantId, '0-0', 1)).at(-1)?.id ?? '0-0';
    const session = await api.call('createConnectSession', { tenantId }, bodyOf(integration, options));
    console.log(json ? JSON.stringify(session) : session.url);
    if (noWait) return;
    const until = shownTime(session.expiresAt);
    console.error(
      `Waiting until a user of ${tenantId} has opened it, until ${until}. Ctrl-C ends the wait, not the link.`,
    );
    const event = await waitForEnd(api, tenantId, session, last);
    if (json) console.log(JSON.stringify(event));
    else console.error(`${tenantId} has connected ${event.integration}.${warningsOf(event)}`);
  },
};

function bodyOf(integration: string | undefined, values: ConnectValues): SessionBody {
  const { scope: scopes, 'return-url': returnUrl, user, expires } = values;
  return {
    ...(integration === undefined ? {} : { integration }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(returnUrl === undefined ? {} : { returnUrl }),
    ...(user === undefined ? {} : { user }),
    ...(expires === undefined ? {} : { expiresInSeconds: readDuration('--expires', expires) }),
  };
}

/** Until a user has connected. One who failed may try again. */
async function waitForEnd(
  api: AdminApi,
  tenantId: string,
  { id, expiresAt }: Operations['createConnectSession']['answer'],
  since: string,
): Promise<Connected> {
  for (let last = since; Date.now() < Date.parse(expiresAt); await delay(pollMs)) {
    for (const event of await readSince(api, tenantId, last)) {
      last = event.id;
      if (!('connectSession' in event) || event.connectSession !== id) continue;
      if (event.type === 'connected') return event;
      console.error(`It did not work (${event.error}): the page says what to do. Waiting on.`);
    }
  }
  throw new CommandError(
    `Nobody has connected ${tenantId} in time, and the link is good no more. Make another one.`,
  );
}

function warningsOf({ warnings }: Connected): string {
  return warnings.length > 0 ? ` But: ${warnings.join(', ')}.` : '';
}
