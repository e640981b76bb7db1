import { ConnectorsError, type Agent } from '@connectors/vault-core';
import type { Exchange } from '../exchange.ts';

/** What the request is for lies within the agent's grant. Nothing is looked up before this is certain. */
export function checkGrant(exchange: Exchange): void {
  const { agent, target, request } = exchange;
  const tenantId = resolveTenant(agent, request.headers['x-tenant-id']);
  if (agent.integrations !== undefined && !agent.integrations.includes(target.integration)) {
    throw new ConnectorsError('agent_forbidden', `The agent has no grant for ${target.integration}`);
  }
  exchange.credentialId = { tenantId, integration: target.integration };
}

/**
 * The tenant is the key's; a key for several names one of them. Never the caller's word alone.
 *
 * @throws ConnectorsError `agent_forbidden`, or `invalid_request` when a choice is missing
 */
export function resolveTenant(agent: Pick<Agent, 'tenants'>, named: string | string[] | undefined): string {
  const [only, ...others] = agent.tenants;
  if (named === undefined) {
    if (only !== undefined && others.length === 0) return only;
    throw new ConnectorsError('invalid_request', "X-Tenant-Id must name one of the agent's tenants");
  }
  if (typeof named !== 'string' || !agent.tenants.includes(named)) {
    throw new ConnectorsError(
      'agent_forbidden',
      'The agent has no grant for the tenant that X-Tenant-Id names',
    );
  }
  return named;
}
