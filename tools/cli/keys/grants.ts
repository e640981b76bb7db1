import { readFileSync } from 'node:fs';
import type { Grant } from '@connectors/vault-core';
import { UsageError } from '../command.ts';

/** The options that make up a grant, as parseArgs reads them. */
export const grantOptions = {
  tenant: { type: 'string', multiple: true },
  integration: { type: 'string', multiple: true },
  rest: { type: 'boolean' },
  method: { type: 'string', multiple: true },
  path: { type: 'string', multiple: true },
  mcp: { type: 'boolean' },
  'mcp-method': { type: 'string', multiple: true },
  tool: { type: 'string', multiple: true },
  grants: { type: 'string' },
} as const;

export interface GrantValues {
  tenant?: string[];
  integration?: string[];
  rest?: boolean;
  method?: string[];
  path?: string[];
  mcp?: boolean;
  'mcp-method'?: string[];
  tool?: string[];
  grants?: string;
}

/** One grant of what the options name, or those of a file. The console checks them. */
export function readGrants(values: GrantValues): Grant[] {
  if (values.grants !== undefined) return readFile(values.grants, values);
  const { tenant: tenants, integration: integrations, method, path: paths, tool: tools } = values;
  if (tenants === undefined) throw new UsageError('Whom is the agent to act for? Name a --tenant.');
  const methods = method?.map((name) => name.toUpperCase());
  const mcpMethods = values['mcp-method'];
  const rest = { ...(methods && { methods }), ...(paths && { paths }) };
  const mcp = { ...(mcpMethods && { methods: mcpMethods }), ...(tools && { tools }) };
  return [
    {
      tenants,
      ...(integrations && { integrations }),
      ...(values.rest === true || methods || paths ? { rest } : {}),
      ...(values.mcp === true || mcpMethods || tools ? { mcp } : {}),
    },
  ];
}

function readFile(file: string, values: GrantValues): Grant[] {
  const others = Object.keys(grantOptions).filter((name) => name !== 'grants' && name in values);
  if (others.length > 0) throw new UsageError(`--grants says it all: leave out --${others.join(', --')}.`);
  try {
    return JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8')) as Grant[];
  } catch (error) {
    throw new UsageError(`--grants ${file} cannot be read as JSON: ${(error as Error).message}`);
  }
}

/** A grant in a line. */
export function describeGrant({ tenants, integrations, rest, mcp, expiresAt }: Grant): string {
  const surfaces = [
    ...(rest === undefined ? [] : [words('REST', list(rest.methods), list(rest.paths))]),
    ...(mcp === undefined ? [] : [words('MCP', list(mcp.methods), list(mcp.tools, 'tools '))]),
  ];
  return [
    tenants.join(', '),
    list(integrations) || 'all integrations',
    surfaces.join(' and ') || 'everything',
    ...(expiresAt === undefined ? [] : [`until ${expiresAt}`]),
  ].join(' · ');
}

function list(names: string[] | undefined, label = ''): string {
  return names === undefined ? '' : `${label}${names.join(', ')}`;
}

function words(...parts: string[]): string {
  return parts.filter((part) => part !== '').join(' ');
}
