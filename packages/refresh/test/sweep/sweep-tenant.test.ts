import { VaultClient, type RefreshJobData } from '@connectors/vault-core';
import { Worker } from 'bullmq';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startRelay } from '../../../vault-core/test/start-relay.ts';
import { sweepTenant } from '../../src/sweep/sweep-tenant.ts';
import { startRefresh, type RefreshWorld } from '../start-refresh.ts';
import { failDue } from './start-sweeps.ts';

let world: RefreshWorld;
let job: RefreshJobData;
let tenants = 0;

beforeAll(async () => {
  world = await startRefresh();
});

afterAll(() => world.close());

beforeEach(async () => {
  await world.redis.flushall();
  tenants += 1;
  job = await world.connect({ tenantId: `tenant-${tenants}`, integration: 'demo' });
});

const nothing = { restored: 0, revived: 0, unreadable: [], unconfigured: [] };
/** What there was to do; what the credentials are in has a test of its own. */
async function sweep() {
  const { states: _states, ...report } = await sweepTenant(world.newEngine(), job.tenantId);
  return report;
}
const stateOfJob = async () => (await world.queues.find(job))?.getState();

/** The user of the tenant is needed: Vault knows, and then the job has failed for good. */
async function failForGood(): Promise<void> {
  const { credential, version } = await world.vault.credentials.get(job);
  const metadata = { ...credential.metadata, status: 'needs_reauth' as const };
  await world.vault.credentials.write(job, { ...credential, metadata }, version);
  await world.queues.hasten(job, Date.now());
  await failDue(world, 1);
}

describe('a sweep of a tenant', () => {
  it('puts back every job that Redis has lost, when it is due', async () => {
    const before = await world.queues.find(job);
    await world.redis.flushall();
    expect(await sweep()).toEqual({ ...nothing, credentials: 1, restored: 1, calls: 2 });
    const after = await world.queues.find(job);
    const due = [before, after].map((found) => (found?.timestamp ?? 0) + (found?.delay ?? 0));
    expect(Math.abs((due[1] ?? 0) - (due[0] ?? 0))).toBeLessThan(1_000);
  });

  it('changes nothing where nothing is missing', async () => {
    expect(await sweep()).toEqual({ ...nothing, credentials: 1, calls: 2 });
    expect(await stateOfJob()).toBe('delayed');
  });

  it('begins a job anew that is over although the credential lives, and leaves it until it is due', async () => {
    await world.queues.hasten(job, Date.now());
    await failDue(world, 1);
    expect(await sweep()).toEqual({ ...nothing, credentials: 1, revived: 1, calls: 2 });
    expect(await stateOfJob()).toBe('delayed');
  });

  it('leaves a job that fails for good between its look at the credential and its look at the job', async () => {
    const { url, rootToken } = world.vaultServer;
    const relay = await startRelay(url);
    const vault = new VaultClient({ address: relay.address, token: rootToken });
    onTestFinished(() => vault.close());
    let hasFailed = false;
    relay.disturb = async ({ path }) => {
      if (hasFailed || path !== `secret/data/${job.tenantId}/demo`) return undefined;
      hasFailed = true;
      const before = await fetch(`${url}/v1/${path}`, { headers: { 'x-vault-token': rootToken } });
      const body = await before.text();
      await failForGood();
      return { status: 200, body };
    };
    const { states: _states, ...report } = await sweepTenant(
      { ...world.newEngine(), credentials: vault.credentials },
      job.tenantId,
    );
    expect(report).toEqual({ ...nothing, credentials: 1, calls: 2 });
    expect(await stateOfJob()).toBe('failed');
  });

  it('passes over a document that is no credential, and names it', async () => {
    const broken = { tenantId: job.tenantId, integration: 'a-broken-one' };
    await world.vault.credentials.write(broken, { nothing: true } as never, 0);
    await world.redis.flushall();
    const report = { ...nothing, credentials: 1, restored: 1, unreadable: ['a-broken-one'], calls: 3 };
    expect(await sweep()).toEqual(report);
    expect(await stateOfJob()).toBe('delayed');
  });

  it('schedules nothing for a credential that was deleted', async () => {
    await world.vault.deleteCredentials(job.tenantId, 'demo');
    await world.redis.flushall();
    expect(await sweep()).toEqual({ ...nothing, credentials: 0, calls: 2 });
    expect(await stateOfJob()).toBeUndefined();
  });

  it('schedules also what this process has no configuration for, and names it', async () => {
    const { credential } = await world.vault.credentials.get(job);
    const id = { tenantId: job.tenantId, integration: 'unheard-of' };
    await world.vault.credentials.write(id, credential, 0);
    expect(await sweep()).toEqual({
      ...nothing,
      credentials: 2,
      restored: 1,
      unconfigured: ['unheard-of'],
      calls: 3,
    });
    const found = await world.queues.find({ ...id, revision: credential.metadata.revision });
    expect(await found?.getState()).toBe('delayed');
  });

  it('says what each credential is in', async () => {
    const states = async () => (await sweepTenant(world.newEngine(), job.tenantId)).states;
    expect(await states()).toEqual({ demo: { state: 'active' } });
    const { credential, version } = await world.vault.credentials.get(job);
    const { refreshToken: _token, ...mortal } = credential;
    const endsAt = (ms: number, over: number) =>
      world.vault.credentials.write(job, { ...mortal, expiresAt: new Date(ms).toISOString() }, over);
    await endsAt(Date.now() + 3_600_000, version);
    expect(await states()).toEqual({ demo: { state: 'expiring' } });
    await endsAt(Date.now(), version + 1);
    expect(await states()).toEqual({ demo: { state: 'needs_reauth', reason: 'token_expired' } });
    await world.vault.credentials.write(job, { nothing: true } as never, version + 2);
    expect(await states()).toEqual({ demo: { state: 'needs_reauth', reason: 'unreadable' } });
  });

  it('finds a refresh that fails for now, and why', async () => {
    await world.queues.hasten(job, Date.now());
    const worker = new Worker('refresh-demo', () => Promise.reject(new Error('http_500')), {
      connection: world.redis.duplicate({ maxRetriesPerRequest: null }),
      prefix: 'connectors',
      settings: { backoffStrategy: () => 60_000 },
    });
    onTestFinished(() => worker.close());
    await expect.poll(async () => (await world.queues.find(job))?.attemptsMade).toBe(1);
    const { states } = await sweepTenant(world.newEngine(), job.tenantId);
    expect(states).toEqual({ demo: { state: 'failing', reason: 'http_500' } });
  });
});
