import { disconnect, type EventHistory, type RefreshEngine, type StateIndex } from '@connectors/refresh';
import type { VaultClient } from '@connectors/vault-core';

export interface OffboardDeps {
  vault: VaultClient;
  engine: RefreshEngine;
  history: EventHistory;
  tenantStates: StateIndex;
}

export interface Offboarding {
  credentials: number;
  revoked: number;
  /** Their provider could not be asked to end them, or refused. */
  failed: number;
  /** Ids of agents whose grants name the tenant; they are left as they are. */
  agents: string[];
}

/**
 * Ends a tenant. The keys go last: until then an offboarding that broke off can be repeated and finds all that is left to
 * revoke; after that no version, backup or replica of anything of the tenant can be read.
 *
 * @throws VaultError: then something may be left, and it is to be repeated
 */
export async function offboard(deps: OffboardDeps, tenantId: string): Promise<Offboarding> {
  const { vault, engine, history, tenantStates } = deps;
  const integrations = await engine.credentials.listIntegrations(tenantId);
  const ended = await Promise.all(
    integrations.map((integration) => disconnect(engine, { tenantId, integration })),
  );
  for (const integration of integrations) await engine.credentials.forget({ tenantId, integration });
  await vault.webhooks.deleteAll(tenantId);
  await engine.announce({ type: 'webhooks-changed', tenantId });
  await engine.credentials.deleteKeys(tenantId);
  // Ids and times; they go by themselves if Redis is away.
  await Promise.all([history.forget(tenantId), tenantStates.forget(tenantId)]).catch(() => undefined);
  const { agents } = await vault.agents.list();
  return {
    credentials: ended.filter(({ existed }) => existed).length,
    revoked: ended.filter(({ revocation }) => revocation?.kind === 'revoked').length,
    failed: ended.filter(({ revocation }) => revocation?.kind === 'failed').length,
    agents: agents
      .filter(({ grants }) => grants.some(({ tenants }) => tenants.includes(tenantId)))
      .map(({ id }) => id),
  };
}
