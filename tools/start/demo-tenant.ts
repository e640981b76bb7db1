import { storeGranted } from '@connectors/refresh';
import {
  parseAgentKey,
  StoredDocumentError,
  type ConnectorsEvent,
  type RefreshQueues,
  type VaultClient,
} from '@connectors/vault-core';
import { grantCredentials } from '../fleet/grant.ts';

export const tenantId = 'demo-tenant';
export const integration = 'demo';
export const clientId = 'connectors';
/** How long the demo's access tokens live: short, so that a refresh is seen. */
export const tokenSeconds = Number(process.env['DEMO_TOKEN_SECONDS'] ?? 60);
export const redirectUri = 'http://127.0.0.1/callback';
/** That of the console; for addresses of this machine the provider takes any port. */
export const consoleCallback = `http://127.0.0.1/connect/callback/${integration}`;
/** Whom a stranger connects in the browser. */
export const secondTenantId = 'acme';
export const scopes = ['openid', 'offline_access', 'api:read'];

export interface DemoDeps {
  vault: VaultClient;
  queues: RefreshQueues;
  announce: (event: ConnectorsEvent) => Promise<void>;
}

/** Whether the demo tenant's credential of an earlier start can still be used. */
export async function isConnected(vault: VaultClient): Promise<boolean> {
  const record = await vault.credentials.find({ tenantId, integration });
  return record?.credential.metadata.status === 'active';
}

/** Goes through the consent pages as the demo tenant's user would, and stores what was granted. */
export async function connectDemoTenant(
  { vault, queues, announce }: DemoDeps,
  server: { authorizationEndpoint: string; tokenEndpoint: string },
  clientSecret: string,
): Promise<void> {
  const request = { clientId, clientSecret, redirectUri, scopes, login: 'demo-user' };
  const credentials = await grantCredentials(server, request, integration);
  await storeGranted(vault, { queues, announce, now: Date.now }, { tenantId, integration }, credentials);
}

/** The agent key of an earlier start if its agent still exists, else a new one. */
export async function ensureAgentKey(vault: VaultClient, earlier: string | undefined): Promise<string> {
  const key = parseAgentKey(earlier ?? '');
  if (earlier !== undefined && key !== undefined && (await isReadable(vault, key.id))) return earlier;
  const created = await vault.agents.create({
    name: 'demo agent',
    grants: [{ tenants: [tenantId], integrations: [integration] }],
  });
  return created.key.reveal();
}

async function isReadable(vault: VaultClient, agentId: string): Promise<boolean> {
  try {
    return (await vault.agents.find(agentId)) !== undefined;
  } catch (error) {
    if (!(error instanceof StoredDocumentError)) throw error;
    // An earlier version of ours wrote it.
    await vault.agents.delete(agentId);
    return false;
  }
}
