import {
  VaultClient,
  type RefreshJob,
  type RefreshJobData,
  type StoredCredential,
} from '@connectors/vault-core';
import type { JobState } from 'bullmq';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished } from 'vitest';
import { eventually } from '../eventually.ts';
import { startRelay, type RelayedRequest } from '../../../vault-core/test/start-relay.ts';
import { refreshCredential, Spool } from '../../src/index.ts';
import { startRefresh, type RefreshWorld } from '../start-refresh.ts';

/**
 * One world for the tests of a file, and what they do in it. Call it at the top of the file.
 *
 * @param more integrations besides `demo`; see `startRefresh`
 */
export function setScene(more: () => Promise<Record<string, object>> = () => Promise.resolve({})) {
  let world: RefreshWorld;
  let tenants = 0;

  beforeAll(async () => {
    world = await startRefresh(await more());
  });

  afterAll(() => world.close());

  beforeEach(() => {
    world.provider.faults.clear();
    world.provider.faults.release();
  });

  const stored = (job: RefreshJobData): Promise<StoredCredential> =>
    world.vault.credentials.get(job).then(({ credential }) => credential);

  const scene = {
    get world() {
      return world;
    },
    /** The user of a new tenant consents; what was asked of the provider until then is forgotten. */
    connect: (integration = 'demo') => world.connect({ tenantId: `tenant-${(tenants += 1)}`, integration }),
    stored,
    /** One run of a job on a worker of its own, whose clocks may be ahead. */
    refresh: (job: RefreshJobData, aheadMs = 0) =>
      refreshCredential(world.newEngine({ ahead: aheadMs }), job),
    /** A worker whose way to Vault can be disturbed, while everybody else's is fine. */
    async workerBehindRelay({ maxRetries = 0 } = {}) {
      const { vaultServer, newEngine, redis } = world;
      const relay = await startRelay(vaultServer.url);
      // So long that where a relay falls silent, nothing comes of it but silence.
      const timeout = 60_000;
      const vault = new VaultClient({
        address: relay.address,
        token: vaultServer.rootToken,
        maxRetries,
        timeout,
      });
      onTestFinished(() => vault.close());
      const spool = new Spool(redis, 'connectors', vault.spoolKeys, Date.now);
      return { relay, engine: { ...newEngine(), credentials: vault.credentials, spool } };
    },
    /** A job, once it is in this state. */
    jobAs: (state: JobState, job: RefreshJobData): Promise<RefreshJob> =>
      eventually(async () => {
        expect(await (await world.queues.find(job))?.getState()).toBe(state);
        return (await world.queues.find(job)) as RefreshJob;
      }),
    /** The tokens must work: the authorization server revokes a grant whose refresh token is spent twice. */
    async expectLivingGrant(job: RefreshJobData): Promise<void> {
      const { status, revision } = (await stored(job)).metadata;
      expect(status).toBe('active');
      expect(await scene.refresh({ ...job, revision })).toMatchObject({ kind: 'refreshed' });
    },
  };
  return scene;
}

/** Whether a request stores a credential. The first such one of a refresh is its claim, the second its result. */
export function isWrite({ method, path }: RelayedRequest): boolean {
  return method === 'POST' && path.startsWith('secret/data/');
}
