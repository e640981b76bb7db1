import { ConnectorsError, findFittingKey, parseAgentKey, type AgentKey } from '@connectors/vault-core';
import type { Exchange } from '../exchange.ts';
import type { ProxyParts } from '../pipeline.ts';
import type { KnownAgent } from './known-agents.ts';

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
function admit(agent: KnownAgent | null, presented: AgentKey, now: number): KnownAgent {
  const key = agent === null ? undefined : findFittingKey(agent.keys, presented);
  if (agent === null || key === undefined) throw unauthenticated('The agent key is not valid');
  if (isOver(agent.expiresAt, now) || isOver(key.expiresAt, now)) {
    throw unauthenticated('The agent key has expired');
  }
  return agent;
}

function isOver(expiresAt: string | undefined, now: number): boolean {
  return expiresAt !== undefined && now >= Date.parse(expiresAt);
}

function unauthenticated(message: string): ConnectorsError {
  return new ConnectorsError('agent_unauthenticated', message);
}
