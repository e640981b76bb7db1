import { setTimeout as delay } from 'node:timers/promises';
import { integration, type Fleet } from '../fleet/start-fleet.ts';
import type { Random } from './random.ts';

/** One request of an agent. Times in milliseconds since the epoch. */
export interface AgentRequest {
  tenantId: string;
  from: number;
  until: number;
  /** `ok`, the code of a problem, `http_{status}`, `wrong_account`, or `no_answer`. */
  result: string;
}

/** A proxy's own waits end earlier. */
const patienceMs = 20_000;
const tenantsPerAgent = 50;

export interface Signals {
  /** No more calls; those under way may end. */
  over: AbortSignal;
  /** Nothing matters any more. */
  interrupted: AbortSignal;
}

/**
 * Calls for all tenants in turn and through all proxies, until it is over.
 *
 * @param pauseMs about so often each tenant's credential is used
 */
export async function callAllTheTime(
  fleet: Fleet,
  tenants: string[],
  random: Random,
  requests: AgentRequest[],
  { over, interrupted }: Signals,
  pauseMs = 4_000,
): Promise<void> {
  const keys = await makeKeys(fleet, tenants);
  const underWay = new Set<Promise<void>>();
  const order = random.shuffled(tenants);
  // Not behind time: a machine that hangs must not be answered with a burst.
  for (let turn = 0; !over.aborted; turn += 1) {
    const tenantId = order[turn % order.length] ?? '';
    const proxy = fleet.proxies[turn % fleet.proxies.length]?.url ?? '';
    const call = callOnce(proxy, tenantId, keys.get(tenantId) ?? '', interrupted).then((request) => {
      requests.push(request);
    });
    underWay.add(call);
    void call.finally(() => underWay.delete(call));
    await delay(pauseMs / tenants.length, undefined, { signal: over }).catch(() => undefined);
  }
  await Promise.all(underWay);
}

/** The key to call with for each tenant. */
async function makeKeys(fleet: Fleet, tenants: string[]): Promise<Map<string, string>> {
  const keys = new Map<string, string>();
  for (let first = 0; first < tenants.length; first += tenantsPerAgent) {
    const own = tenants.slice(first, first + tenantsPerAgent);
    const key = await fleet.createAgent({ name: `agent ${first}`, grants: [{ tenants: own }] });
    for (const tenantId of own) keys.set(tenantId, key);
  }
  return keys;
}

async function callOnce(
  proxy: string,
  tenantId: string,
  key: string,
  interrupted: AbortSignal,
): Promise<AgentRequest> {
  const from = Date.now();
  const signal = AbortSignal.any([interrupted, AbortSignal.timeout(patienceMs)]);
  const result = await resultOf(proxy, tenantId, key, signal).catch(() => 'no_answer');
  return { tenantId, from, until: Date.now(), result };
}

async function resultOf(proxy: string, tenantId: string, key: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(`${proxy}/proxy/${integration}/account`, {
    headers: { authorization: `Bearer ${key}`, 'x-tenant-id': tenantId },
    signal,
  });
  const body = (await response.json()) as { account?: string };
  if (response.status === 200) return body.account === tenantId ? 'ok' : 'wrong_account';
  return response.headers.get('connectors-error') ?? `http_${response.status}`;
}
