import { readTenants } from '@connectors/admin-client';
import { openAdminApi, type AdminApi } from '../admin-api.ts';
import type { Command } from '../command.ts';
import { readOptions } from '../options.ts';
import { printJson } from '../print.ts';
import { printCredential, printCredentials } from './print.ts';

export const list: Command = {
  summary: 'all tenants, or the credentials of one',
  usage: `usage: npx pnpm@12 connectors list [<tenant>] [--all] [--json]

Without a tenant, lists all that ever had a credential. With one, lists its credentials and their state.

  --all   also list the integrations that it never connected`,
  takesNothing: true,
  run: async (args) => {
    const { values, operands } = readOptions(args, ['tenant?'], { all: { type: 'boolean' } });
    const [tenantId] = operands;
    const api = openAdminApi(process.env);
    const isJson = values['json'] === true;
    if (tenantId === undefined) return listTenants(api, isJson);
    const found = await api.call('listCredentials', { tenantId, all: values['all'] === true });
    if (isJson) return printJson(found);
    if (found.items.length > 0) return printCredentials(found.items);
    console.error(
      `${tenantId} has connected nothing. connectors connect ${tenantId} makes a link for its user.`,
    );
  },
};

/** Page by page, so that many tenants are no burden. */
async function listTenants(api: AdminApi, isJson: boolean): Promise<void> {
  const items: { id: string }[] = [];
  for await (const tenant of readTenants(api)) {
    if (!isJson) console.log(tenant.id);
    items.push(tenant);
  }
  if (isJson) printJson({ items });
  else if (items.length === 0)
    console.error('There are no tenants. connectors connect <tenant> makes a link for the first.');
}

export const show: Command = {
  summary: 'one credential: its state, account, scopes and times; never a token',
  usage: 'usage: npx pnpm@12 connectors show <tenant> <integration> [--json]',
  run: async (args) => {
    const { values, operands } = readOptions(args, ['tenant', 'integration'], {});
    const [tenantId = '', integration = ''] = operands;
    const api = openAdminApi(process.env);
    const view = await api.call('getCredential', { tenantId, integration });
    if (values['json'] === true) printJson(view);
    else printCredential(view);
  },
};
