import { ConnectorsError, isId } from '@connectors/vault-core';
import type { Exchange } from '../exchange.ts';
import type { KnownAgent } from '../identity/known-agents.ts';
import type { ProxyParts } from '../pipeline.ts';
import { GrantMissingError } from './grant-missing-error.ts';

/**
 * What the request is for lies within the agent's grants, as far as its head tells. Nothing is looked up before this is
 * certain.
 */
export function checkGrant(exchange: Exchange, { now }: Pick<ProxyParts, 'now'>): void {
  const { agent, target, request } = exchange;
  const { integration } = target;
  const tenantId = resolveTenant(agent, request.headers['x-tenant-id'], integration);
  const id = { tenantId, integration };
  checkCall(exchange, id, now());
  exchange.credentialId = id;
}

/** The same for a tenant that is chosen already. */
export function checkCall(exchange: Exchange, id: Exchange['credentialId'], now: number): void {
  const { agent, target } = exchange;
  if (target.surface === 'rest') return checkRest(exchange, id, now);
  if (agent.permissions.allowsSurface(id, 'mcp', now)) return;
  const { tenantId: tenant, integration } = id;
  const message = `The agent has no grant for MCP with ${integration} for ${tenant}`;
  throw new GrantMissingError(message, { tenant, integration });
}

/**
 * The tenant is the agent's; an agent of several names one of them. Never the caller's word alone.
 *
 * @throws ConnectorsError `agent_forbidden`, or `invalid_request` when a choice is missing
 */
export function resolveTenant(
  { permissions }: Pick<KnownAgent, 'permissions'>,
  named: string | string[] | undefined,
  integration: string,
): string {
  const { tenants } = permissions;
  if (named === undefined) {
    if (tenants.length === 1 && tenants[0] !== undefined) return tenants[0];
    throw new ConnectorsError('invalid_request', "X-Tenant-Id must name one of the agent's tenants");
  }
  if (typeof named === 'string' && permissions.includesTenant(named)) return named;
  const message = 'The agent has no grant for the tenant that X-Tenant-Id names';
  throw typeof named === 'string' && isId(named)
    ? new GrantMissingError(message, { tenant: named, integration })
    : new ConnectorsError('agent_forbidden', message);
}

function checkRest(
  { agent: { permissions }, target, request }: Exchange,
  id: Exchange['credentialId'],
  now: number,
): void {
  if (!permissions.limitsRest(id, now)) return;
  const { method = '', headers } = request;
  const { tenantId: tenant, integration } = id;
  if (!permissions.allowsRest(id, method, target.path, now)) {
    const path = target.path === '' ? '/' : target.path;
    const message = `The agent has no grant for ${method} ${path} of ${integration} for ${tenant}`;
    throw new GrantMissingError(message, { tenant, integration, method, path });
  }
  const override = overrides.find((name) => headers[name] !== undefined);
  if (override !== undefined) {
    const message = `The header ${override} is not taken where a grant names methods or paths`;
    throw new ConnectorsError('agent_forbidden', message);
  }
}

/** With these, some servers take a request for another one than its first line says. */
const overrides = [
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
];
