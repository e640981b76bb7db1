import {
  disconnect,
  type Disconnection,
  type EventHistory,
  type RefreshEngine,
  type StateIndex,
} from '@connectors/refresh';
import {
  ConnectorsError,
  orQueueUnavailable,
  VaultError,
  type Agent,
  type CredentialId,
  type VaultClient,
} from '@connectors/vault-core';
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
  const { vault, offboardings } = deps;
  // First, so that whoever stores something from now on finds out. Without Redis all else is done, and said to be unfinished.
  const [begun] = await Promise.allSettled([offboardings.begin(tenantId)]);
  try {
    const ended = await endAll(deps, tenantId);
    if (begun.status === 'rejected') throw begun.reason;
    return summary(ended, tenantId, (await vault.agents.list()).agents);
  } finally {
    if (begun.status === 'fulfilled') await offboardings.end(tenantId, begun.value).catch(() => undefined);
  }
}

function summary(ended: Disconnection[], tenantId: string, agents: Agent[]): Offboarding {
  return {
    credentials: ended.filter(({ existed }) => existed).length,
    revoked: ended.filter(({ revocation }) => revocation?.kind === 'revoked').length,
    failed: ended.filter(({ revocation }) => revocation?.kind === 'failed').length,
    agents: agents
      .filter(({ grants }) => grants.some(({ tenants }) => tenants.includes(tenantId)))
      .map(({ id }) => id),
  };
}

async function endAll(deps: OffboardDeps, tenantId: string): Promise<Disconnection[]> {
  const { vault, engine, history, tenantStates } = deps;
  const integrations = await engine.credentials.listIntegrations(tenantId);
  const ending = integrations.map((integration) => disconnect(engine, { tenantId, integration }));
  // Whoever is told that one has failed may import anew: nothing is ended behind that.
  await Promise.allSettled(ending);
  const ended = await Promise.all(ending);
  for (const integration of integrations) await engine.credentials.forget({ tenantId, integration });
  await vault.webhooks.deleteAll(tenantId);
  await engine.announce({ type: 'webhooks-changed', tenantId });
  await engine.credentials.deleteKeys(tenantId);
  await orQueueUnavailable(Promise.all([history.forget(tenantId), tenantStates.forget(tenantId)]));
  return ended;
}

/**
 * Stores a credential of a tenant that is not offboarded meanwhile: without its keys nobody could read what was stored.
 *
 * @throws ConnectorsError `conflict`: then nothing is stored
 */
export async function storeUnlessOffboarded<Stored>(
  { engine, offboardings }: Pick<OffboardDeps, 'engine' | 'offboardings'>,
  id: CredentialId,
  log: Logger,
  store: () => Promise<Stored>,
): Promise<Stored> {
  // Without Redis nobody knows. Then whoever offboards is told to repeat it.
  const begunAt = await offboardings.now().catch(() => undefined);
  const isOffboarded = async () =>
    begunAt !== undefined && (await offboardings.isSince(id.tenantId, begunAt).catch(() => false));
  if (await isOffboarded()) throw offboardedMeanwhile();
  const stored = await store();
  if (!(await isOffboarded())) return stored;
  await undoLate(engine, id, log);
  throw offboardedMeanwhile();
}

function offboardedMeanwhile(): ConnectorsError {
  return new ConnectorsError(
    'conflict',
    'The tenant is being offboarded: nothing was stored. Repeat this once that has ended, if the tenant is to come back.',
  );
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
