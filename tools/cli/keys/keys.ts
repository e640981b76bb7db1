import type { Agent } from '@connectors/admin-client';
import { openAdminApi, type AdminApi } from '../admin-api.ts';
import { UsageError, type Command } from '../command.ts';
import { readOptions } from '../options.ts';
import { printJson } from '../print.ts';
import { readDuration, readEnd } from './duration.ts';
import { grantOptions, readGrants, type GrantValues } from './grants.ts';
import { printAgent, printAgents, printKey } from './print.ts';

const usage = `usage: npx pnpm@12 connectors keys <action> [options] [--json]

  create <name> --tenant <id> …   a new agent; its key alone goes to stdout, this once
  list                            all agents
  show <id>                       one agent, its keys and grants
  rotate <id> [--overlap 24h]     a new key; the old one stays valid for the overlap, at most 7d, 0 for none
  revoke <id>                     no proxy lets the agent in any more

An agent may do what its grant allows. You may repeat each of these options:

  --tenant <id>         whom it acts for
  --integration <id>    what it may use; by default all
  --method <GET>        HTTP methods, and
  --path '/repos/**'    paths that it may call; * is one segment, ** any rest. --rest for all of REST, and no MCP
  --tool 'get_*'        tools that it may call, and
  --mcp-method <name>   methods of MCP that it may use. --mcp for all of MCP, and no REST
  --grants <file>       instead of these: grants in JSON, as in docs/agents.md; - for stdin
  --expires 90d         when the agent expires: a duration from now, or a date

For example:

  export AGENT_KEY=$(npx pnpm@12 connectors keys create 'issue bot' --tenant acme --integration github --method GET)`;

export const keys: Command = {
  summary: 'agents and their keys: create, list, show, rotate, revoke',
  usage,
  run: async ([action = '', ...args]) => {
    const act = Object.hasOwn(actions, action) ? actions[action] : undefined;
    if (act === undefined) throw new UsageError(`There is no action ${action}.`);
    await act(args);
  },
};

const actions: Record<string, (args: string[]) => Promise<void>> = {
  create: async (args) => {
    const {
      values,
      operands: [operand = ''],
    } = readOptions(args, ['name'], {
      ...grantOptions,
      expires: { type: 'string' },
    });
    const { expires, json, ...grant } = values as GrantValues & { expires?: string; json?: boolean };
    const body = {
      name: operand,
      grants: readGrants(grant),
      ...(expires === undefined ? {} : { expiresAt: readEnd('--expires', expires, Date.now()) }),
    };
    const created = await open().call('createAgent', {}, body);
    if (json === true) return printJson(created);
    printKey(created, `Agent ${created.id} was created. Its key is shown this once:`);
  },

  list: async (args) => {
    const { values } = readOptions(args, [], {});
    const list = await readAgents(open());
    if (values['json'] === true) printJson(list);
    else printAgents(list);
  },

  show: async (args) => {
    const {
      values,
      operands: [operand = ''],
    } = readOptions(args, ['id'], {});
    const agent = await open().call('getAgent', { agentId: operand });
    if (values['json'] === true) printJson(agent);
    else printAgent(agent);
  },

  rotate: async (args) => {
    const {
      values,
      operands: [operand = ''],
    } = readOptions(args, ['id'], { overlap: { type: 'string' } });
    const { overlap, json } = values as { overlap?: string; json?: boolean };
    const body = overlap === undefined ? {} : { overlapSeconds: readDuration('--overlap', overlap) };
    const rotated = await open().call('rotateAgentKey', { agentId: operand }, body);
    if (json === true) return printJson(rotated);
    const until = rotated.keys[1]?.expiresAt;
    const old = until === undefined ? 'The old one is good no more' : `The old one is good until ${until}`;
    printKey(rotated, `Agent ${rotated.id} has a new key. ${old}. The new one is shown this once:`);
  },

  revoke: async (args) => {
    const {
      values,
      operands: [operand = ''],
    } = readOptions(args, ['id'], {});
    await open().call('revokeAgent', { agentId: operand });
    if (values['json'] === true) printJson({ id: operand, revoked: true });
    else console.error(`Agent ${operand} is revoked.`);
  },
};

/** All agents, read page by page. */
async function readAgents(api: AdminApi): Promise<{ items: Agent[]; unreadable: string[] }> {
  const items: Agent[] = [];
  const unreadable: string[] = [];
  let after: string | undefined;
  do {
    const page = await api.call('listAgents', { limit: 200, ...(after === undefined ? {} : { after }) });
    items.push(...page.items);
    unreadable.push(...page.unreadable);
    after = page.next;
  } while (after !== undefined);
  return { items, unreadable };
}

function open(): AdminApi {
  return openAdminApi(process.env);
}
