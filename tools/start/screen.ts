import type { ConnectorsEvent } from '@connectors/vault-core';
import { integration, secondTenantId, tokenSeconds } from './demo-tenant.ts';
import type { RunFile } from './state.ts';

const isTerminal = process.stdout.isTTY;

function dim(text: string): string {
  return isTerminal ? `\x1b[2m${text}\x1b[22m` : text;
}

function bold(text: string): string {
  return isTerminal ? `\x1b[1m${text}\x1b[22m` : text;
}

/** One line about what is being waited for. */
export function progress(message: string): void {
  console.log(dim(`  … ${message}`));
}

/** One line of what happens while the system runs. */
export function live(what: string, details: string, at = new Date()): void {
  console.log(`${dim(at.toLocaleTimeString('en-GB'))}  ${what.padEnd(16)} ${details}`);
}

export function liveEvent(event: ConnectorsEvent): void {
  if (event.type === 'agent-changed' || event.type === 'webhooks-changed') return;
  const credential = `${event.tenantId}/${event.integration}`;
  switch (event.type) {
    case 'refresh-success':
      live('token refreshed', `${credential}, good until ${time(event.expiresAt)}`);
      return liveSchedule(credential, event.dueAt);
    case 'refresh-retry':
      return live('refresh retried', `${credential}: ${event.error}, failure ${event.retryCount} in a row`);
    case 'refresh-failed':
      return live(
        'refresh failed',
        `${credential}: ${event.error}; its user has to connect again: npx pnpm@12 connectors connect ${event.tenantId} ${event.integration}`,
      );
    case 'refresh-declined':
      return live('refresh declined', `${credential}: ${event.error}`);
    case 'credential-stored':
      live('connected', credential);
      return liveSchedule(credential, event.dueAt);
    case 'connected':
      // Told as stored already.
      return;
    case 'connect-failed':
      return live('connect failed', `${credential}: ${event.error}`);
    case 'credential-deleted':
      return live('disconnected', credential);
  }
}

function liveSchedule(credential: string, dueAt: string | undefined): void {
  if (dueAt !== undefined) live('next refresh', `${credential} at ${time(dueAt)}`);
}

/** A line of the proxy's log: shown if it is a request's. */
export function liveRequest(line: string): void {
  const entry = parseLine(line);
  if (entry?.msg !== 'request') return;
  const forced = entry.refreshForced === true ? ', after a refresh' : '';
  live(
    'request served',
    `${entry.method} ${calledPath(entry)} → ${entry.status ?? 'aborted'} in ${entry.totalMs} ms${forced}`,
  );
}

/** As the agent called it: the log has the upstream's part of the path apart. */
function calledPath({ surface, integration, path }: AccessLine): string | undefined {
  if (surface === undefined) return path;
  return `/${surface === 'rest' ? 'proxy' : 'mcp'}/${integration}${path}`;
}

interface AccessLine {
  msg?: string;
  method?: string;
  surface?: 'rest' | 'mcp';
  integration?: string;
  path?: string;
  status?: number;
  totalMs?: number;
  refreshForced?: boolean;
}

function parseLine(line: string): AccessLine | undefined {
  try {
    return JSON.parse(line) as AccessLine;
  } catch {
    return undefined;
  }
}

function time(iso: string | undefined): string {
  return iso === undefined ? 'further notice' : new Date(iso).toLocaleTimeString('en-GB');
}

/** What runs where, and commands that work as they are. */
export function summary(
  run: RunFile,
  places: [name: string, address: string][],
  connectLink: string | undefined,
): void {
  const mcpCall = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami', arguments: {} } };
  console.log(`
${bold('Connectors is running.')} Tenant ${run.tenantId} has connected the integration ${run.integration}.

${places.map(([name, address]) => `  ${name.padEnd(22)} ${address}`).join('\n')}

  ${'agent key'.padEnd(22)} ${run.agentKey}
  ${'admin token'.padEnd(22)} ${run.adminToken}

${bold('A REST call')}, with the tenant's token put in by the proxy:

  curl ${headerFlags(run.rest.headers)} ${run.rest.url}

${bold('An MCP call')}:

  curl -X POST ${headerFlags(run.mcp.headers)} \\
    -d '${JSON.stringify(mcpCall)}' \\
    ${run.mcp.url}

${bold(`A second tenant, ${secondTenantId}`)}, connected in the browser as its user would: the link works once, within an hour

  ${connectLink ?? `npx pnpm@12 connectors connect ${secondTenantId} ${integration}`}

Tokens live ${tokenSeconds} seconds here: call again after that and see another tokenFingerprint. The same as JSON is in
.data/run.json, logs are in .data/logs. Ctrl-C stops everything.
`);
}

function headerFlags(headers: Record<string, string>): string {
  return Object.entries(headers)
    .map(([name, value]) => `-H '${name}: ${value}'`)
    .join(' ');
}
