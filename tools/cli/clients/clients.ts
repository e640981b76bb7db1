import type { Operations } from '@connectors/admin-client';
import { openAdminApi } from '../admin-api.ts';
import { CommandError, UsageError, type Command } from '../command.ts';
import { readOptions } from '../options.ts';
import { printable, printJson, printTable } from '../print.ts';
import { askSecret, readSecretFile } from '../secret-input.ts';

const usage = `usage: npx pnpm@12 connectors clients <action> [options] [--json]

  set <integration> --client-id <id>   stores the OAuth client of an integration in Vault, and replaces the previous one
  list                                 all that are stored there
  remove <integration>                 deletes one

The client secret is asked for, or read from stdin. In place of that:

  --secret-file <file>   where it is; - for stdin
  --key-file <file>      a private key in PEM, for clients that sign, and
  --key-id <id>          what the provider calls it
  --public               there is none: a public client

A provider of the catalog is switched on by its client alone. The proxies cannot read clients: name the integration in connectors.yaml
too, or set its {ID}_CLIENT_ID for them. Workers read clients when they start, and what their environment says comes first.

For example:

  npx pnpm@12 connectors clients set github --client-id Iv1.example < secret.txt`;

export const clients: Command = {
  summary: 'OAuth clients that are kept in Vault: set, list, remove',
  usage,
  run: async ([action = '', ...args]) => {
    const act = Object.hasOwn(actions, action) ? actions[action] : undefined;
    if (act === undefined) throw new UsageError(`There is no action ${action}.`);
    await act(args);
  },
};

interface SetValues {
  'client-id'?: string;
  'secret-file'?: string;
  'key-file'?: string;
  'key-id'?: string;
  public?: boolean;
  json?: boolean;
}

const actions: Record<string, (args: string[]) => Promise<void>> = {
  set: async (args) => {
    const {
      values,
      operands: [integration = ''],
    } = readOptions(args, ['integration'], {
      'client-id': { type: 'string' },
      'secret-file': { type: 'string' },
      'key-file': { type: 'string' },
      'key-id': { type: 'string' },
      public: { type: 'boolean' },
    });
    const api = openAdminApi(process.env);
    const client = await api.call('setClient', { integration }, await readClient(values));
    if (values['json'] === true) return printJson(client);
    const when = client.needsRestart ? ' Restart the workers: they read clients when they start.' : '';
    console.error(`The client of ${client.integration} is kept in Vault.${when}`);
  },

  list: async (args) => {
    const { values } = readOptions(args, [], {});
    const api = openAdminApi(process.env);
    const list = await api.call('listClients', {});
    if (values['json'] === true) printJson(list);
    else printClients(list);
  },

  remove: async (args) => {
    const {
      values,
      operands: [integration = ''],
    } = readOptions(args, ['integration'], {});
    await openAdminApi(process.env).call('removeClient', { integration });
    if (values['json'] === true) printJson({ integration, removed: true });
    else
      console.error(
        `The client of ${integration} is forgotten. Workers that run still use it: restart them.`,
      );
  },
};

async function readClient(values: SetValues): Promise<Operations['setClient']['body']> {
  const clientId = values['client-id'];
  const { 'secret-file': secretFile, 'key-file': keyFile, 'key-id': clientKeyId } = values;
  if (clientId === undefined) throw new UsageError('Which client? Name its --client-id.');
  const asks = secretFile === undefined && keyFile === undefined && values.public !== true;
  const clientSecret = asks
    ? await askSecret('client secret: ')
    : secretFile && (await readSecretFile('--secret-file', secretFile));
  const clientKey = keyFile && (await readSecretFile('--key-file', keyFile));
  if (clientSecret === '') throw new CommandError('The secret is empty. A client that has none is --public.');
  return {
    clientId,
    ...(clientSecret === undefined ? {} : { clientSecret }),
    ...(clientKey === undefined ? {} : { clientKey }),
    ...(clientKeyId === undefined ? {} : { clientKeyId }),
  };
}

function printClients({ items, unreadable }: Operations['listClients']['answer']): void {
  const rows = items.map(({ integration, clientId, hasSecret, hasKey, updatedAt, needsRestart }) => [
    integration,
    printable(clientId),
    [...(hasSecret ? ['secret'] : []), ...(hasKey ? ['key'] : [])].join(', ') || 'none',
    updatedAt,
    needsRestart ? 'after a restart' : 'yes',
  ]);
  if (rows.length === 0) console.error('Vault keeps no clients. connectors clients set keeps one.');
  else printTable([['INTEGRATION', 'CLIENT ID', 'PROVED BY', 'SET', 'IN USE'], ...rows]);
  if (unreadable.length > 0)
    console.error(`Not as they should be in Vault, and not used: ${unreadable.join(', ')}`);
}
