import { setTimeout as delay } from 'node:timers/promises';
import { callAllTheTime, type AgentRequest } from '../chaos/agents.ts';
import { Random } from '../chaos/random.ts';
import { inParallel } from '../fleet/in-parallel.ts';
import { integration, startFleet, type Fleet } from '../fleet/start-fleet.ts';
import { outages, type Outage } from './outages.ts';
import type { Phase } from './report.ts';

export interface OutageOptions {
  /** How long each outage lasts, and half of it the time after it. */
  seconds: number;
  tenants: number;
  /** Which outages; all, unless told. */
  only?: string | undefined;
  /** How long credentials are fresh in the proxies, in seconds: shorter than an outage, so that all of them get stale. */
  cacheSeconds: number;
  say: (what: string) => void;
  signal: AbortSignal;
}

const mcpTenant = 'mcp-tenant';
/** Agents call each tenant this often. */
const pauseMs = 200;

/**
 * Starts a system, lets agents call all the time, and takes its parts away for a while, one after the other.
 *
 * @param dir where data and logs lie
 */
export async function runOutages(dir: string, options: OutageOptions): Promise<Phase[]> {
  const { say, signal, cacheSeconds, only } = options;
  say('starting Redis, Vault, the authorization server, a worker and two proxies');
  const proxyEnv = { CREDENTIAL_CACHE_SECONDS: String(cacheSeconds) };
  const fleet = await startFleet(dir, { workers: 1, proxies: 2, proxyEnv });
  const over = new AbortController();
  const requests: AgentRequest[] = [];
  try {
    const tenants = Array.from({ length: options.tenants }, (_, index) => `tenant-${index}`);
    await inParallel([...tenants, mcpTenant, ...outages.map(victimOf)], (tenantId) =>
      fleet.connect(tenantId),
    );
    const calling = callAllTheTime(
      fleet,
      tenants,
      new Random(1),
      requests,
      { over: over.signal, interrupted: signal },
      pauseMs,
    );
    const phases: Phase[] = [];
    await everyTenantWasServed(requests, tenants, fleet, signal);
    const mcpKey = await fleet.createAgent({ name: 'mcp', grants: [{ tenants: [mcpTenant] }] });
    await callMcp(fleet, mcpKey);
    for (const outage of outages.filter(({ name }) => only === undefined || name === only)) {
      say(`${outage.name}, for ${options.seconds} s`);
      phases.push(await breakFor({ fleet, dir, outage, requests, options, mcpKey }));
      if (outage.end === undefined) continue;
      say('and all is there again');
      phases.push(await recover({ fleet, dir, outage, requests, options, mcpKey }));
    }
    over.abort();
    await calling;
    return phases;
  } finally {
    over.abort();
    await fleet.close();
  }
}

interface Turn {
  fleet: Fleet;
  dir: string;
  outage: Outage;
  requests: AgentRequest[];
  options: OutageOptions;
  mcpKey: string;
}

async function breakFor({ fleet, dir, outage, requests, options, mcpKey }: Turn): Promise<Phase> {
  const callRefused = await openVictim(fleet, outage);
  requests.length = 0;
  await outage.begin(fleet, dir);
  const mcpResults: string[] = [];
  const readiness: string[] = [];
  const until = Date.now() + options.seconds * 1_000;
  const refused = outage.name.startsWith('Redis') ? await callRefused() : undefined;
  while (Date.now() < until) {
    mcpResults.push(await callMcp(fleet, mcpKey));
    readiness.push(await readyOf(fleet));
    await delay(Math.min(500, options.seconds * 100), undefined, options);
  }
  return {
    name: outage.name,
    allowed: outage.allowed,
    requests: [...requests],
    mcpResults,
    readiness,
    refused,
  };
}

/** From the moment on at which what was gone is asked to come back. */
async function recover({ fleet, dir, outage, requests, options }: Turn): Promise<Phase> {
  requests.length = 0;
  await outage.end?.(fleet, dir);
  await delay(options.seconds * 500, undefined, options);
  const settled = [...requests];
  const readiness = [await readyOf(fleet)];
  return { name: `  after it`, requests: settled, mcpResults: [], readiness };
}

/** Both proxies have every tenant's credential and agent in memory. */
async function everyTenantWasServed(
  requests: AgentRequest[],
  tenants: string[],
  { proxies }: Fleet,
  signal: AbortSignal,
): Promise<void> {
  while (requests.length < tenants.length * proxies.length * 3) await delay(50, undefined, { signal });
}

function victimOf({ name }: Outage): string {
  return name.toLowerCase().replaceAll(' ', '-');
}

/** A tenant of its own for each outage, whose credential is in the memory of the first proxy. */
async function openVictim(fleet: Fleet, outage: Outage) {
  const tenantId = victimOf(outage);
  const key = await fleet.createAgent({ name: 'victim', grants: [{ tenants: [tenantId] }] });
  const call = () =>
    fetch(`${fleet.proxies[0]?.url}/proxy/${integration}/account`, {
      headers: { authorization: `Bearer ${key}` },
    });
  await (await call()).text();
  /** The upstream refuses the token, but nobody can be asked for another. */
  return async () => {
    const { accessToken } = await fleet.admin.getCredentials(tenantId, integration);
    await fleet.authorizationServer.revokeAccessToken(accessToken);
    // The upstream may believe in a token for a second longer.
    for (;;) {
      const response = await call();
      await response.text();
      if (response.status !== 200) {
        const { status, headers } = response;
        return `${status} ${headers.get('connectors-error')}, Retry-After ${headers.get('retry-after')}`;
      }
      await delay(50);
    }
  };
}

async function callMcp({ proxies }: Fleet, key: string): Promise<string> {
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'outage', version: '1' },
  };
  const response = await fetch(`${proxies[0]?.url}/mcp/${integration}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
  });
  await response.text();
  return response.ok ? 'ok' : (response.headers.get('connectors-error') ?? String(response.status));
}

async function readyOf({ proxies }: Fleet): Promise<string> {
  const response = await fetch(`${proxies[0]?.url}/readyz`);
  const { status } = (await response.json()) as { status: string };
  return `${response.status} ${status}`;
}
