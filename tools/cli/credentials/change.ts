import { readFileSync } from 'node:fs';
import type { Operations } from '@connectors/admin-client';
import { openAdminApi } from '../admin-api.ts';
import { CommandError, UsageError, type Command } from '../command.ts';
import { readOptions } from '../options.ts';
import { printJson } from '../print.ts';
import { printCredential, shownTime } from './print.ts';

/** As long as the API waits. */
const waitSeconds = 30;

/** What became of a refresh that was asked for, and whether that is what was wanted. */
const outcomes = {
  refreshed: { isFine: true, words: 'It has a new token' },
  hastened: { isFine: true, words: 'It is refreshed now' },
  superseded: { isFine: true, words: 'It has a new token already' },
  pending: { isFine: false, words: 'It is still being refreshed' },
  failed: { isFine: false, words: 'The refresh failed' },
  not_refreshable: { isFine: false, words: 'It cannot be refreshed: its user has to connect it again' },
  cooling_down: {
    isFine: false,
    words: 'Its token is new, or was asked for a moment ago: try again in a minute',
  },
  throttled: { isFine: false, words: 'Its provider asked for a pause: try again later' },
};

export const refresh: Command = {
  summary: 'refreshes a credential now',
  usage: `usage: npx pnpm@12 connectors refresh <tenant> <integration> [--wait] [--json]

  --wait   until the refresh has ended, at most ${waitSeconds} s`,
  run: async (args) => {
    const { values, operands } = readOptions(args, ['tenant', 'integration'], { wait: { type: 'boolean' } });
    const [tenantId = '', integration = ''] = operands;
    const wait = values['wait'] === true ? waitSeconds : 0;
    const api = openAdminApi(process.env);
    const report = await api.call('refreshCredential', { tenantId, integration, wait });
    if (values['json'] === true) printJson(report);
    const { words, isFine } = outcomes[report.outcome];
    const { reason, expiresAt } = report.credential;
    const why = report.outcome === 'failed' && reason !== undefined ? ` (${reason})` : '';
    if (!isFine) throw new CommandError(`${words}${why}.`);
    if (values['json'] === true) return;
    console.error(
      report.outcome === 'refreshed' ? `${words}, good until ${shownTime(expiresAt)}.` : `${words}.`,
    );
  },
};

const revocations = {
  ended: 'Its tokens were ended at the provider.',
  unsupported: 'The provider takes no tokens back: they live there until they expire.',
  failed: 'Its tokens could NOT be ended at the provider: they may live on there.',
  none: 'There were no tokens that could be ended at the provider.',
};

export const disconnect: Command = {
  summary: 'ends a connection, at the provider and here',
  usage: 'usage: npx pnpm@12 connectors disconnect <tenant> <integration> --yes [--json]',
  run: async (args) => {
    const { values, operands } = readOptions(args, ['tenant', 'integration'], { yes: { type: 'boolean' } });
    const [tenantId = '', integration = ''] = operands;
    if (values['yes'] !== true)
      throw new UsageError(
        `This destroys what ${tenantId} has connected as ${integration}: only its user can bring it back. Say --yes.`,
      );
    const api = openAdminApi(process.env);
    const report = await api.call('disconnectCredential', { tenantId, integration });
    if (values['json'] === true) return printJson(report);
    if (!report.existed) throw new CommandError(`${tenantId} has not connected ${integration}.`);
    console.error(`${tenantId} is disconnected from ${integration}. ${revocations[report.revocation]}`);
  },
};

export const importTokens: Command = {
  summary: 'stores tokens that were granted elsewhere',
  usage: `usage: npx pnpm@12 connectors import <tenant> <integration> [--file <file>] [--json] < tokens.json

The tokens are JSON, from stdin or a file: accessToken, and as far as there are any refreshToken, expiresAt (ISO 8601), scopes, tokenType,
fields and account {id, name}. They replace what is stored.`,
  run: async (args) => {
    const { values, operands } = readOptions(args, ['tenant', 'integration'], { file: { type: 'string' } });
    const [tenantId = '', integration = ''] = operands;
    const body = readTokens(values['file'] as string | undefined);
    const api = openAdminApi(process.env);
    const view = await api.call('importCredential', { tenantId, integration }, body);
    if (values['json'] === true) return printJson(view);
    console.error(`The tokens of ${tenantId} for ${integration} are stored.`);
    printCredential(view);
  },
};

/** What the tokens are is for the console to judge. Errors of JSON.parse quote what they could not read. */
function readTokens(file: string | undefined): Operations['importCredential']['body'] {
  const from = file ?? 'stdin';
  let text: string;
  try {
    text = readFileSync(file ?? 0, 'utf8');
  } catch (error) {
    throw new UsageError(`${from} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  try {
    const tokens: unknown = JSON.parse(text);
    if (typeof tokens === 'object' && tokens !== null)
      return tokens as Operations['importCredential']['body'];
  } catch {
    // Told below, without what it says.
  }
  throw new CommandError(`What ${from} says is no object of JSON.`);
}

export const offboard: Command = {
  summary: 'ends a tenant: its tokens, documents, jobs, webhooks and keys',
  usage: `usage: npx pnpm@12 connectors offboard <tenant> --yes [--json]

Without its keys nothing of the tenant can be read anywhere, backups included. May be repeated.`,
  run: async (args) => {
    const { values, operands } = readOptions(args, ['tenant'], { yes: { type: 'boolean' } });
    const [tenantId = ''] = operands;
    if (values['yes'] !== true)
      throw new UsageError(`This destroys everything of ${tenantId}, for good. Say --yes.`);
    const report = await openAdminApi(process.env).call('offboardTenant', { tenantId });
    if (values['json'] === true) return printJson(report);
    const { credentials, revoked, failed, agents } = report;
    console.error(
      `${tenantId} is gone: ${credentials} credential(s), ${revoked} of them ended at their provider.`,
    );
    if (failed > 0)
      console.error(`${failed} may live on at their provider, which could not be asked or refused.`);
    if (agents.length > 0)
      console.error(
        `Agents that may still act for it once it is back: ${agents.join(', ')}. connectors keys revoke ends them.`,
      );
  },
};
