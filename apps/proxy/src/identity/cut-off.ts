import { ConnectorsError, type ErrorCode } from '@connectors/vault-core';
import { checkCall } from '../access/check-grant.ts';
import type { Exchange } from '../exchange.ts';
import { checkPassedMessages } from '../mcp/inspect-message.ts';
import type { ProxyParts } from '../pipeline.ts';
import { admitAgent } from './identify-agent.ts';

/** Vault cannot be asked at the moment: it is asked again so much later. */
const retryMs = 2_000;

/**
 * Ends those requests under way, streams above all, that would be refused if they came now: their agent was revoked, its
 * key replaced, or its grants were taken away. While Vault cannot tell, they go on.
 *
 * @param agentId absent: of all agents
 */
export async function cutOff(parts: ProxyParts, agentId?: string): Promise<void> {
  const exchanges = Array.from(parts.underWay).filter(
    ({ agent }: Partial<Exchange>) =>
      // No event is about one that is known by its token.
      agent !== undefined && agent.keys.length > 0 && (agentId ?? agent.id) === agent.id,
  );
  const refusals = await Promise.all(exchanges.map((exchange) => refusalOf(exchange, parts)));
  for (const [index, refusal] of refusals.entries()) {
    if (refusal === 'agent_unauthenticated' || refusal === 'agent_forbidden') {
      exchanges[index]?.breakOff();
    }
  }
  if (refusals.some((refusal) => refusal === 'vault_unavailable' || refusal === 'rate_limited')) {
    setTimeout(() => void cutOff(parts, agentId), retryMs).unref();
  }
}

/** Ends the streams whose agent, key or grant has come to its end. Nobody announces that. */
export function cutOffExpired({ underWay, now }: Pick<ProxyParts, 'underWay' | 'now'>): void {
  const at = now();
  for (const exchange of underWay) if (exchange.isStream && isOver(exchange, at)) exchange.breakOff();
}

function isOver(exchange: Exchange, now: number): boolean {
  if (now >= exchange.agentUntil) return true;
  try {
    checkPassed(exchange, now);
    return false;
  } catch {
    return true;
  }
}

/** @throws ConnectorsError unless it would be granted now as well */
function checkPassed(exchange: Exchange, now: number): void {
  checkCall(exchange, exchange.credentialId, now);
  checkPassedMessages(exchange, now);
}

/** How it would be refused now, if at all. */
async function refusalOf(exchange: Exchange, parts: ProxyParts): Promise<ErrorCode | undefined> {
  try {
    await admitAgent(exchange, parts);
    // What is under way goes on for the tenant that it was begun for, whatever the agent's tenants are now.
    checkPassed(exchange, parts.now());
    return parts.agents.isCertainOf(exchange.agent.id) ? undefined : 'vault_unavailable';
  } catch (error) {
    return error instanceof ConnectorsError ? error.code : undefined;
  }
}
