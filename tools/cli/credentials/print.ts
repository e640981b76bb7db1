import type { Credential } from '@connectors/admin-client';
import { printable, printTable } from '../print.ts';

/** A time as people read it, in UTC. */
export function shownTime(iso: string | undefined): string {
  return iso === undefined ? '–' : iso.replace('T', ' ').replace(/\.\d+Z$|Z$/, 'Z');
}

export function printCredentials(views: Credential[]): void {
  const rows = views.map(({ integration, state, reason, account, expiresAt, nextRefreshAt }) => [
    integration,
    reason === undefined ? state : `${state} (${reason})`,
    printable(account?.name ?? account?.id ?? '–'),
    shownTime(expiresAt),
    shownTime(nextRefreshAt),
  ]);
  printTable([['INTEGRATION', 'STATE', 'ACCOUNT', 'TOKEN EXPIRES', 'NEXT REFRESH'], ...rows]);
}

export function printCredential(view: Credential): void {
  const { account, fields = {}, missingScopes = [] } = view;
  const accountText = account?.name === undefined ? account?.id : `${account.name} (${account.id})`;
  const rows: [string, string | undefined][] = [
    ['integration', `${view.integration} (${view.name})`],
    ['state', view.reason === undefined ? view.state : `${view.state}: ${view.reason}`],
    ['account', accountText],
    ['scopes', view.scopes.join(' ') || undefined],
    ['missing scopes', missingScopes.join(' ') || undefined],
    ['connected', view.connectedAt && shownTime(view.connectedAt)],
    ['token issued', view.tokenIssuedAt && shownTime(view.tokenIssuedAt)],
    ['token expires', view.expiresAt && shownTime(view.expiresAt)],
    ['next refresh', view.nextRefreshAt && shownTime(view.nextRefreshAt)],
    ['refreshes', view.refreshCount === undefined ? undefined : String(view.refreshCount)],
    ['failures in a row', view.retryCount === undefined ? undefined : String(view.retryCount)],
    ['can be refreshed', view.canRefresh ? 'yes' : 'no'],
    ...Object.entries(fields).map(([name, value]): [string, string] => [`field ${name}`, value]),
  ];
  printTable(rows.flatMap(([name, text]) => (text === undefined ? [] : [[name, printable(text)]])));
}
