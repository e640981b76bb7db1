import { ConnectorsError } from '@connectors/vault-core';
import { checkGrant } from '../access/check-grant.ts';
import type { Exchange } from '../exchange.ts';
import type { ProxyParts } from '../pipeline.ts';
import { identifyAgent } from './identify-agent.ts';

/**
 * Ends those requests under way, streams above all, that would be refused if they came now: their agent was revoked, its
 * key replaced, or its grants were taken away. Where Vault cannot tell at the moment, they go on.
 *
 * @param agentId absent: of all agents
 */
export async function cutOff(parts: ProxyParts, agentId?: string): Promise<void> {
  const exchanges = Array.from(parts.underWay).filter(
    ({ agent }: Partial<Exchange>) =>
      // No event is about one that is known by its token.
      agent !== undefined && agent.keys.length > 0 && (agentId ?? agent.id) === agent.id,
  );
  await Promise.all(exchanges.map((exchange) => endIfRefused(exchange, parts)));
}

async function endIfRefused(exchange: Exchange, parts: ProxyParts): Promise<void> {
  try {
    await identifyAgent(exchange, parts);
    checkGrant(exchange, parts);
  } catch (error) {
    if (isRefusal(error)) exchange.response.destroy();
  }
}

function isRefusal(error: unknown): boolean {
  return (
    error instanceof ConnectorsError &&
    (error.code === 'agent_unauthenticated' || error.code === 'agent_forbidden')
  );
}
