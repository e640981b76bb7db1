import { disconnect, type EventHistory, type RefreshEngine, type StateIndex } from '@connectors/refresh';
import { orQueueUnavailable, VaultError, type CredentialId, type VaultClient } from '@connectors/vault-core';
import type { Logger } from 'pino';
import type { Offboardings } from './offboardings.ts';

export interface OffboardDeps {
  vault: VaultClient;
  engine: RefreshEngine;
  history: EventHistory;
  tenantStates: StateIndex;
  offboardings: Offboardings;
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
 * @throws VaultError; ConnectorsError `queue_unavailable`: then something may be left, and it is to be repeated
 */
export async function offboard(deps: OffboardDeps, tenantId: string): Promise<Offboarding> {
  const { vault, engine, history, tenantStates, offboardings } = deps;
  // First, so that whoever stores something from now on finds out. Without Redis all else is done, and said to be unfinished.
  const noted = await Promise.allSettled([offboardings.note(tenantId)]);
  const integrations = await engine.credentials.listIntegrations(tenantId);
  const ended = await Promise.all(
    integrations.map((integration) => disconnect(engine, { tenantId, integration })),
  );
  for (const integration of integrations) await engine.credentials.forget({ tenantId, integration });
  await vault.webhooks.deleteAll(tenantId);
  await engine.announce({ type: 'webhooks-changed', tenantId });
  await engine.credentials.deleteKeys(tenantId);
  await orQueueUnavailable(Promise.all([history.forget(tenantId), tenantStates.forget(tenantId)]));
  for (const result of noted) if (result.status === 'rejected') throw result.reason;
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

/** Ends what a connect stored that came too late: its tenant was offboarded meanwhile. The keys go unless the tenant has come back. */
export async function undoLate(engine: RefreshEngine, id: CredentialId, log: Logger): Promise<void> {
  const { credentials } = engine;
  try {
    await disconnect(engine, id);
    await credentials.forget(id);
    const others = await credentials.listIntegrations(id.tenantId);
    if (others.length === 0) await credentials.deleteKeys(id.tenantId);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    log.error(
      { ...id, reason: error.reason },
      'a connect came after the offboarding: offboard the tenant again',
    );
  }
}
