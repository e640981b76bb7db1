import { setTimeout as delay } from 'node:timers/promises';
import type { Event } from '@connectors/admin-client';
import { openAdminApi, type AdminApi } from '../admin-api.ts';
import { UsageError, type Command } from '../command.ts';
import { readOptions } from '../options.ts';
import { printable } from '../print.ts';
import { shownTime } from './print.ts';

const pollMs = 1_000;
/** As many as the API gives at once. */
const pageSize = 200;

export const events: Command = {
  summary: 'what happened lately, of a tenant or of all',
  usage: `usage: npx pnpm@12 connectors events [<tenant>] [--follow] [--limit 50] [--json]

The newest come last. With --json each is a line.

  --follow      keep printing new events, until Ctrl-C
  --limit <n>   how many of those that have happened, at most ${pageSize}`,
  takesNothing: true,
  run: async (args) => {
    const { values, operands } = readOptions(args, ['tenant?'], {
      follow: { type: 'boolean' },
      limit: { type: 'string', default: '50' },
    });
    const limit = Number(values['limit']);
    if (!(Number.isInteger(limit) && limit >= 1 && limit <= pageSize))
      throw new UsageError(`--limit is a number from 1 to ${pageSize}.`);
    const api = openAdminApi(process.env);
    const print = values['json'] === true ? printLine : printEvent;
    let last = '0-0';
    for (let count = limit; ; count = pageSize) {
      const fresh = await readSince(api, operands[0], last, count);
      for (const event of fresh) print(event);
      last = fresh.at(-1)?.id ?? last;
      if (values['follow'] !== true) break;
      await delay(pollMs);
    }
    if (last === '0-0') console.error('Nothing has happened yet.');
  },
};

/** Events that are newer than one, the oldest first. */
export async function readSince(
  api: AdminApi,
  tenantId: string | undefined,
  last: string,
  limit = pageSize,
): Promise<Event[]> {
  const { items } =
    tenantId === undefined
      ? await api.call('listEvents', { limit })
      : await api.call('listTenantEvents', { tenantId, limit });
  return items.filter(({ id }) => isAfter(id, last)).toReversed();
}

/** Ids of a stream of Redis: milliseconds, and a count within them. */
function isAfter(id: string, other: string): boolean {
  const [time = 0, count = 0] = id.split('-').map(Number);
  const [otherTime = 0, otherCount = 0] = other.split('-').map(Number);
  return time === otherTime ? count > otherCount : time > otherTime;
}

function printLine(event: Event): void {
  console.log(JSON.stringify(event));
}

function printEvent({ id: _id, at, type, ...about }: Event): void {
  const whose = ['tenantId', 'integration', 'agentId']
    .flatMap((name) => readText(about, name) ?? [])
    .join('/');
  const details = ['error', 'retryCount', 'warnings', 'expiresAt', 'dueAt'].flatMap((name) => {
    const text = readText(about, name);
    return text === undefined ? [] : [`${name}=${text}`];
  });
  console.log(printable([shownTime(at), type.padEnd(18), whose.padEnd(24), ...details].join('  ').trimEnd()));
}

function readText(event: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = event[name];
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.join(',');
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
