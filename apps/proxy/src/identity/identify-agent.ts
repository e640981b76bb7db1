import {
  ConnectorsError,
  findFittingKey,
  parseAgentKey,
  RateLimitError,
  type AgentKey,
} from '@connectors/vault-core';
import type { Exchange } from '../exchange.ts';
import type { ProxyParts } from '../pipeline.ts';
import type { Admission } from './admissions.ts';
import { addressBlock, clientAddress } from './client-address.ts';
import type { KnownAgent } from './known-agents.ts';

/** Who calls: the agent whose key, or token, is in `Authorization`. */
export function identifyAgent(exchange: Exchange, parts: ProxyParts): void | Promise<void> {
  try {
    return admitAgent(exchange, parts)?.catch((error: unknown) => refuse(error, exchange, parts));
  } catch (error) {
    refuse(error, exchange, parts);
  }
}

/** The same, for one who was let in before: whatever has become of the key, nobody tries keys here. */
export function admitAgent(exchange: Exchange, parts: ProxyParts): void | Promise<void> {
  const { agents, admissions, now } = parts;
  const authorization = exchange.request.headers.authorization ?? '';
  const admission = admissions.find(authorization);
  if (
    admission !== undefined &&
    now() < admission.trustedUntil &&
    // The same object: nothing has changed about the agent since.
    (!admission.isStored || agents.peek(admission.agent.id) === admission.agent)
  ) {
    letIn(exchange, admission);
    return;
  }
  const admit = (found: Admission): void => {
    admissions.add(authorization, found);
    letIn(exchange, found);
  };
  const found = verify(presentedIn(authorization), exchange, parts);
  return found instanceof Promise ? found.then(admit) : admit(found);
}

function letIn(exchange: Exchange, { agent, expiresAt }: Admission): void {
  exchange.agent = agent;
  exchange.agentUntil = expiresAt;
}

function presentedIn(authorization: string): string {
  const presented = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  if (presented === undefined) throw new NothingPresented();
  return presented;
}

/** No failure to count: who presents nothing finds out how to. */
class NothingPresented extends ConnectorsError {
  constructor() {
    super('agent_unauthenticated', 'The request presents no agent key');
  }
}

function verify(presented: string, exchange: Exchange, parts: ProxyParts): Admission | Promise<Admission> {
  const { agents, tokens, now } = parts;
  const key = parseAgentKey(presented);
  if (key !== undefined) {
    const known = agents.peek(key.id);
    if (known !== undefined) return verifyKey(known, key, now());
    // Who only tries ids costs Vault a call for each: not those who fail too often.
    if (!agents.hasMet(key.id)) checkFailures(exchange, parts);
    return agents.get(key.id).then(({ value }) => verifyKey(value, key, now()));
  }
  // Other tokens, of providers above all, are no tokens of an issuer either.
  if (tokens !== undefined && presented.split('.').length === 3) return tokens.verify(presented);
  throw unauthenticated('The request presents no agent key');
}

/** The same answer for a wrong key and for an unknown id. */
function verifyKey(agent: KnownAgent | null, presented: AgentKey, now: number): Admission {
  const key = agent === null ? undefined : findFittingKey(agent.keys, presented);
  if (agent === null || key === undefined) throw unauthenticated('The agent key is not valid');
  const expiresAt = Math.min(timeOf(agent.expiresAt), timeOf(key.expiresAt));
  if (now >= expiresAt) throw unauthenticated('The agent key has expired');
  return { agent, expiresAt, trustedUntil: expiresAt, isStored: true };
}

function timeOf(expiresAt: string | undefined): number {
  return expiresAt === undefined ? Infinity : Date.parse(expiresAt);
}

/** Counts what was presented and is not good; one who fails too often is told to wait instead. */
function refuse(error: unknown, exchange: Exchange, parts: ProxyParts): never {
  const isAttempt = error instanceof ConnectorsError && !(error instanceof NothingPresented);
  if (isAttempt && error.code === 'agent_unauthenticated') {
    checkFailures(exchange, parts);
    parts.failures.add(origin(exchange, parts));
  }
  throw error;
}

function checkFailures(exchange: Exchange, parts: ProxyParts): void {
  const waitMs = parts.failures.waitMs(origin(exchange, parts));
  if (waitMs > 0) throw new RateLimitError('Too many wrong keys came from your address', waitMs);
}

function origin({ request }: Exchange, { trustedProxies }: ProxyParts): string {
  return addressBlock(clientAddress(request, trustedProxies));
}

function unauthenticated(message: string): ConnectorsError {
  return new ConnectorsError('agent_unauthenticated', message);
}
