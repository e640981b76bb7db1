import { ConnectorsError, findFittingKey, parseAgentKey, type AgentKey } from '@connectors/vault-core';
import type { Exchange } from '../exchange.ts';
import type { ProxyParts } from '../pipeline.ts';
import type { Admission } from './admissions.ts';
import type { KnownAgent } from './known-agents.ts';

/** Who calls: the agent whose key is in `Authorization`. */
export function identifyAgent(exchange: Exchange, parts: ProxyParts): void | Promise<void> {
  const { agents, admissions, now } = parts;
  const authorization = exchange.request.headers.authorization ?? '';
  const admission = admissions.find(authorization);
  // The same object: nothing has changed about the agent since.
  if (
    admission !== undefined &&
    now() < admission.expiresAt &&
    agents.peek(admission.agent.id) === admission.agent
  ) {
    exchange.agent = admission.agent;
    return;
  }
  const key = presentedKey(authorization);
  const admit = (agent: KnownAgent | null): void => {
    const admitted = verify(agent, key, now());
    admissions.add(authorization, admitted);
    exchange.agent = admitted.agent;
  };
  const known = agents.peek(key.id);
  if (known !== undefined) {
    admit(known);
    return;
  }
  return agents.get(key.id).then(({ value }) => admit(value));
}

function presentedKey(authorization: string): AgentKey {
  const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  const key = token === undefined ? undefined : parseAgentKey(token);
  if (key === undefined) throw unauthenticated('The request presents no agent key');
  return key;
}

/** The same answer for a wrong key and for an unknown id. */
function verify(agent: KnownAgent | null, presented: AgentKey, now: number): Admission {
  const key = agent === null ? undefined : findFittingKey(agent.keys, presented);
  if (agent === null || key === undefined) throw unauthenticated('The agent key is not valid');
  const expiresAt = Math.min(timeOf(agent.expiresAt), timeOf(key.expiresAt));
  if (now >= expiresAt) throw unauthenticated('The agent key has expired');
  return { agent, expiresAt };
}

function timeOf(expiresAt: string | undefined): number {
  return expiresAt === undefined ? Infinity : Date.parse(expiresAt);
}

function unauthenticated(message: string): ConnectorsError {
  return new ConnectorsError('agent_unauthenticated', message);
}
