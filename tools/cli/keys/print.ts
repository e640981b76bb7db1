import type { Agent } from '@connectors/admin-client';
import { printable, printTable } from '../print.ts';
import { describeGrant } from './grants.ts';

/** The key alone goes to stdout, so that it can be piped and captured. */
export function printKey({ key }: { key: string }, note: string): void {
  console.error(note);
  console.log(key);
}

export function printAgents({ items, unreadable }: { items: Agent[]; unreadable: string[] }): void {
  const rows = items.map((agent) => [
    agent.id,
    printable(agent.name),
    [...new Set(agent.grants.flatMap(({ tenants }) => tenants))].join(','),
    agent.keys.length === 1 ? '1 key' : `${agent.keys.length} keys`,
    agent.expiresAt ?? 'never',
  ]);
  if (rows.length === 0) console.error('There are no agents. connectors keys create makes one.');
  else printTable([['ID', 'NAME', 'TENANTS', 'KEYS', 'EXPIRES'], ...rows]);
  if (unreadable.length > 0)
    console.error(`Not as they should be in Vault, and let in nowhere: ${unreadable.join(', ')}`);
}

export function printAgent(agent: Agent): void {
  const keys = agent.keys.map(
    ({ createdAt, expiresAt }) =>
      `since ${createdAt}${expiresAt === undefined ? '' : `, until ${expiresAt}`}`,
  );
  const rows = [
    ['id', agent.id],
    ['name', printable(agent.name)],
    ['created', agent.createdAt],
    ['expires', agent.expiresAt ?? 'never'],
    ...keys.map((key) => ['key', key]),
    ...agent.grants.map((grant) => ['grant', describeGrant(grant)]),
  ];
  printTable(rows);
}
