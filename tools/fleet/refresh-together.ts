import { setTimeout as delay } from 'node:timers/promises';
import { jitterMs, leadMs, scheduleRefresh } from '@connectors/refresh';
import { refreshQueueName, type StoredCredential } from '@connectors/vault-core';
import { lifetimeMs, setExpiry } from './expiry.ts';
import { inParallel } from './in-parallel.ts';
import { integration, type Fleet } from './start-fleet.ts';

/** What a fleet made of credentials that fell due together. */
export interface JointRefresh {
  /** From the moment at which they were due until the last one was stored and scheduled again. */
  seconds: number;
  /** Requests to the token endpoint, and how many of these were answered with tokens. */
  tokenRequests: number;
  granted: number;
  /** Requests that sent a refresh token which another one had sent already. */
  sentAgain: number;
  /** Credentials that were refreshed once, and stored while the old token was alive. */
  savedInTime: number;
}

const patienceMs = 240_000;

/**
 * Lets the credentials of these tenants fall due in the same millisecond, and waits until all of them are refreshed. Each
 * expires as much later as its jitter makes it due earlier.
 *
 * @throws {Error} when they are not all refreshed after 4 minutes
 */
export async function refreshTogether(fleet: Fleet, tenants: readonly string[]): Promise<JointRefresh> {
  const { scheduling, authorizationServer } = fleet;
  await scheduling.queues.queue(refreshQueueName(integration)).drain(true);
  const { due, dueAt } = await prepare(fleet, tenants);
  authorizationServer.tokenRequests.length = 0;
  await inParallel(due, ([tenantId, credential]) =>
    scheduleRefresh(scheduling, { tenantId, integration }, credential),
  );
  const endedAt = await allScheduledAgain(fleet, tenants.length);
  const requests = authorizationServer.tokenRequests;
  const sent = new Set(requests.map(({ refreshTokenFingerprint }) => refreshTokenFingerprint));
  return {
    seconds: (endedAt - dueAt) / 1000,
    tokenRequests: requests.length,
    granted: requests.filter(({ status }) => status === 200).length,
    sentAgain: requests.length - sent.size,
    savedInTime: await countSavedInTime(fleet, due, endedAt),
  };
}

/** Sets the expiries. Nothing is scheduled yet: if it took too long it is done again. */
async function prepare(fleet: Fleet, tenants: readonly string[]) {
  const due = new Map<string, StoredCredential>();
  const schedulingMs = 2_000 + 2 * tenants.length;
  for (let writingMs = 3 * tenants.length; ; writingMs *= 2) {
    const dueAt = Date.now() + writingMs + schedulingMs;
    await inParallel(tenants, async (tenantId) => {
      const id = { tenantId, integration };
      const expiryOf = (revision: string) => dueAt + leadMs(lifetimeMs) + jitterMs(id, revision, lifetimeMs);
      due.set(tenantId, await setExpiry(fleet, tenantId, expiryOf));
    });
    if (Date.now() < dueAt - schedulingMs) return { due, dueAt };
  }
}

/** When each credential has its next job and nothing is under way, in milliseconds since the epoch. */
async function allScheduledAgain(fleet: Fleet, count: number): Promise<number> {
  const { authorizationServer, scheduling } = fleet;
  const queue = scheduling.queues.queue(refreshQueueName(integration));
  const givenUpAt = Date.now() + patienceMs;
  for (;;) {
    const { delayed = 0, ...underWay } = await queue.getJobCounts(
      'delayed',
      'active',
      'prioritized',
      'waiting',
    );
    const isQuiet = Object.values(underWay).every((jobs) => jobs === 0);
    const asked = authorizationServer.tokenRequests.length;
    if (asked >= count && delayed === count && isQuiet) return Date.now();
    if (Date.now() > givenUpAt) throw new Error(`${asked} token requests for ${count} credentials so far`);
    await delay(50);
  }
}

async function countSavedInTime(
  fleet: Fleet,
  due: ReadonlyMap<string, StoredCredential>,
  endedAt: number,
): Promise<number> {
  let count = 0;
  await inParallel(due, async ([tenantId, before]) => {
    const { credential } = await fleet.admin.credentials.get({ tenantId, integration });
    const isRefreshedOnce = credential.metadata.refreshCount === before.metadata.refreshCount + 1;
    if (isRefreshedOnce && endedAt < Date.parse(before.expiresAt ?? '')) count += 1;
  });
  return count;
}
