import { ConnectorsError, keyFits, parseAgentKey, type Agent, type AgentKey } from '@connectors/vault-core';
import type { Exchange } from '../exchange.ts';
import type { ProxyParts } from '../pipeline.ts';

/** Who calls: the agent whose key is in `Authorization`. */
export function identifyAgent(exchange: Exchange, { agents, now }: ProxyParts): void | Promise<void> {
  const key = presentedKey(exchange.request.headers.authorization);
  const known = agents.peek(key.id);
  if (known !== undefined) {
    exchange.agent = admit(known, key, now());
    return;
  }
  return agents.get(key.id).then(({ value }) => {
    exchange.agent = admit(value, key, now());
  });
}

function presentedKey(authorization: string | undefined): AgentKey {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  const key = token === undefined ? undefined : parseAgentKey(token);
  if (key === undefined) throw unauthenticated('The request presents no agent key');
  return key;
}

/** The same answer for a wrong key and for an unknown id. */
function admit(agent: Agent | null, key: AgentKey, now: number): Agent {
  if (agent === null || !keyFits(agent, key)) throw unauthenticated('The agent key is not valid');
  if (agent.expiresAt !== undefined && now >= Date.parse(agent.expiresAt)) {
    throw unauthenticated('The agent key has expired');
  }
  return agent;
}

function unauthenticated(message: string): ConnectorsError {
  return new ConnectorsError('agent_unauthenticated', message);
}
