import { EgressRefusedError, type EgressGuard } from '@connectors/egress';
import { Discovery, readIntegrations, type Integration } from '@connectors/oauth';
import { callbackUrl, VaultClient, vaultOptions, type KeptClient } from '@connectors/vault-core';
import { askProvider } from './ask-provider.ts';
import { readVault } from './configuration.ts';
import { findingsOf, type Finding } from './finding.ts';
import { isLoopback } from './loopback.ts';
import type { Environment, Subjects } from './subjects.ts';

const { ok, failed, warning } = findingsOf('worker');

export interface IntegrationExam {
  subjects: Subjects;
  /** Whether Vault is there to be asked for clients. */
  isVaultUp: boolean;
  /** Whether providers are sent a token request that must fail. */
  asksProviders: boolean;
  consoleUrl: string;
}

/** Examines each integration: its addresses, its client, and what the provider has to know. */
export async function examineIntegrations(exam: IntegrationExam): Promise<Finding[]> {
  const { worker, proxy } = exam.subjects;
  if (worker === undefined) return [];
  const clients = exam.isVaultUp ? await readClients(worker) : undefined;
  const { integrations, guard } = readIntegrations(worker, { clients: clients ?? 'elsewhere' });
  const discovery = new Discovery({ guard });
  const findings = [...integrations.values()].map(async (integration) => [
    ...examineAddresses(integration, guard),
    ...(clients === undefined ? [] : examineClient(integration)),
    ...(await examineEndpoints(integration, discovery)),
    ...(exam.asksProviders
      ? [await askProvider(integration, { guard, discovery, consoleUrl: exam.consoleUrl })]
      : []),
    ...examineCallback(integration, exam.consoleUrl),
  ]);
  return [
    ...(integrations.size === 0
      ? [
          warning(
            'integrations',
            'there are no integrations',
            'Set {PROVIDER}_CLIENT_ID, name a connectors.yaml in CONNECTORS_CONFIG, or: npx pnpm@12 connectors clients set',
          ),
        ]
      : []),
    ...(await Promise.all(findings)).flat(),
    ...(proxy === undefined ? [] : compare([...integrations.keys()], proxy)),
    ...examineAllowList(worker, [...integrations.values()]),
  ];
}

/** The names of the integrations that Redis has queues for. */
export function integrationNames(env: Environment): string[] {
  return [...readIntegrations(env, { clients: 'elsewhere' }).integrations.keys()];
}

async function readClients(env: Environment): Promise<Map<string, KeptClient> | undefined> {
  const config = readVault(env);
  if (config === undefined) return undefined;
  const vault = new VaultClient({ ...vaultOptions(config), maxRetries: 0 });
  try {
    return (await vault.clients.readAll()).clients;
  } catch {
    return undefined;
  } finally {
    await vault.close();
  }
}

/** Addresses that the egress guard lets nobody reach. Those with fields are known only with a credential. */
function examineAddresses({ id, provider, upstreams }: Integration, guard: EgressGuard): Finding[] {
  const { issuer, authorizeUrl, tokenUrl, refreshUrl, revokeUrl } = provider;
  const addresses = [issuer, authorizeUrl, tokenUrl, refreshUrl, revokeUrl, upstreams.rest, upstreams.mcp];
  const refused = new Map<string, string>();
  for (const address of addresses) {
    if (address === undefined || address.includes('{')) continue;
    try {
      guard.check(address);
    } catch (error) {
      if (!(error instanceof EgressRefusedError)) throw error;
      refused.set(new URL(address).host, error.reason);
    }
  }
  return [...refused].map(([host, reason]) =>
    failed(
      'egress',
      `${id}: nothing is sent to ${host} (${reason})`,
      `If it is yours, add ${host} to EGRESS_ALLOW_HOSTS of worker and proxy; else use its https address`,
    ),
  );
}

function examineClient({ id, provider, clientId, clientSecret }: Integration): Finding[] {
  const { clientAuthentication, grant } = provider;
  const usesSecret =
    clientAuthentication === undefined || ['basic', 'post', 'secret_as_user'].includes(clientAuthentication);
  const isOwn = grant === 'authorization_code' && clientId !== undefined;
  // Without it the issuer's document decides.
  if (!isOwn || !usesSecret || clientSecret !== undefined || provider.issuer !== undefined) return [];
  const variable = `${id.toUpperCase().replaceAll('-', '_')}_CLIENT_SECRET`;
  return [
    failed(
      'client',
      `${id} has a client id and no secret: no token can be asked for`,
      `Set ${variable}, or: npx pnpm@12 connectors clients set ${id}`,
    ),
  ];
}

async function examineEndpoints(integration: Integration, discovery: Discovery): Promise<Finding[]> {
  const { id, provider } = integration;
  if (provider.issuer === undefined) return [];
  try {
    await discovery.complete(integration);
    return [ok('discovery', `${id}: the issuer ${provider.issuer} says where its endpoints are`)];
  } catch (error) {
    const { code } = error as { code?: unknown };
    return [
      failed(
        'discovery',
        `${id}: the issuer ${provider.issuer} cannot be used (${String(code)})`,
        `Correct issuer of ${id} in connectors.yaml; it must be exactly what its discovery document names`,
      ),
    ];
  }
}

function examineCallback({ id, provider }: Integration, consoleUrl: string): Finding[] {
  if (provider.grant !== 'authorization_code') return [];
  const callback = callbackUrl(consoleUrl, id);
  if (callback.startsWith('https:') || isLoopback(callback))
    return [ok('callback', `${id}: register ${callback} at the provider as redirect URI`)];
  return [
    failed(
      'callback',
      `${id}: providers send nobody to ${callback}, which is plain http`,
      'Set CONSOLE_URL to the https address at which users reach the console',
    ),
  ];
}

function compare(ofWorker: string[], proxy: Environment): Finding[] {
  const ofProxy = integrationNames(proxy);
  const lacks = ofWorker.filter((id) => !ofProxy.includes(id));
  if (lacks.length === 0) return [];
  return lacks.map((id) =>
    findingsOf('proxy').failed(
      'integrations',
      `it does not know ${id}, which the worker does: agents get 404`,
      `Name ${id} in the connectors.yaml of the proxy, or set its client id there`,
    ),
  );
}

/** Hosts that are let through and that nobody names. */
function examineAllowList(env: Environment, integrations: Integration[]): Finding[] {
  const entries = (env['EGRESS_ALLOW_HOSTS'] ?? '').split(',').map((entry) => entry.trim());
  const named = JSON.stringify(integrations.map(({ provider, upstreams }) => [provider, upstreams]));
  const idle = entries.filter((entry) => entry !== '' && !named.includes(entry));
  if (idle.length === 0) return [];
  return [
    warning(
      'egress',
      `${idle.join(', ')} may be private and spoken to in plain http, and no integration names it`,
      'Take it out of EGRESS_ALLOW_HOSTS, unless webhooks go there',
    ),
  ];
}
