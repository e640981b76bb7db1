import { Secret, type RefreshJobData } from '@connectors/vault-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { refreshCredential, Spool } from '../src/index.ts';
import { startRefresh, type RefreshWorld } from './start-refresh.ts';

let world: RefreshWorld;
let job: RefreshJobData;
let tenants = 0;

beforeAll(async () => {
  world = await startRefresh();
});

afterAll(() => world.close());

beforeEach(async () => {
  await world.redis.del('connectors:spool');
  tenants += 1;
  job = await world.connect({ tenantId: `tenant-${tenants}`, integration: 'demo' });
});

function spool() {
  return new Spool(world.redis, 'connectors', world.vault.spoolKeys, Date.now);
}

/** A worker that receives new tokens while Vault is sealed, and is then asked to end. */
async function receiveWithoutVault() {
  const stopping = new AbortController();
  world.provider.faults.next({ kind: 'hangAfterRotation' });
  const refresh = refreshCredential(world.newEngine({ ahead: 0 }, stopping.signal), job);
  await eventually(() => expect(world.provider.tokenRequests[0]?.status).toBe(200));
  world.vaultServer.seal();
  stopping.abort();
  world.provider.faults.release();
  const outcome = await refresh;
  world.vaultServer.unseal();
  return outcome;
}

describe('tokens that Vault cannot take', () => {
  it('lie in the spool when their worker has to end', async () => {
    expect(await receiveWithoutVault()).toEqual({ kind: 'retry', reason: 'vault_unavailable' });
    expect(await spool().list()).toEqual([job]);
  });

  it('are stored by another worker before it spends anything', async () => {
    await receiveWithoutVault();
    expect(await refreshCredential(world.newEngine(), job)).toMatchObject({ kind: 'refreshed' });
    expect(world.provider.tokenRequests).toHaveLength(1);
    expect(await spool().list()).toEqual([]);
  });

  it('are good: their refresh token works', async () => {
    await receiveWithoutVault();
    await refreshCredential(world.newEngine(), job);
    const { metadata } = (await world.vault.credentials.get(job)).credential;
    expect(metadata).toMatchObject({ status: 'active', refreshCount: 1 });
    const next = { ...job, revision: metadata.revision };
    expect(await refreshCredential(world.newEngine(), next)).toMatchObject({ kind: 'refreshed' });
  });

  it('come back whole, with what the response said besides', async () => {
    const kept = spool();
    await kept.prepare();
    const tokens = {
      accessToken: new Secret('access'),
      refreshToken: new Secret('refresh'),
      expiresAt: new Date('2027-01-01T01:00:00Z'),
      refreshTokenExpiresAt: new Date('2027-02-01T00:00:00Z'),
      scopes: ['api:read'],
      tokenType: 'Bearer',
      fields: { instanceHost: 'acme.my.example' },
    };
    await kept.put(job, tokens);
    const found = await spool().get(job);
    expect(found).toMatchObject({
      expiresAt: tokens.expiresAt,
      refreshTokenExpiresAt: tokens.refreshTokenExpiresAt,
      scopes: ['api:read'],
      tokenType: 'Bearer',
      fields: { instanceHost: 'acme.my.example' },
    });
    expect([found?.accessToken.reveal(), found?.refreshToken?.reveal()]).toEqual(['access', 'refresh']);
  });

  it('are stored once when several workers find them', async () => {
    await receiveWithoutVault();
    const outcomes = await Promise.all([1, 2, 3].map(() => refreshCredential(world.newEngine(), job)));
    expect(outcomes.filter(({ kind }) => kind === 'refreshed')).toHaveLength(1);
    expect(world.provider.tokenRequests).toHaveLength(1);
  });

  it('are put there again when Redis has lost them, as long as their worker lives', async () => {
    world.provider.faults.next({ kind: 'hangAfterRotation' });
    const refresh = refreshCredential(world.newEngine(), job);
    await eventually(() => expect(world.provider.tokenRequests[0]?.status).toBe(200));
    world.vaultServer.seal();
    world.provider.faults.release();
    await eventually(async () => expect(await spool().list()).toEqual([job]));
    await world.redis.flushall();
    await eventually(async () => expect(await spool().list()).toEqual([job]));
    world.vaultServer.unseal();
    expect(await refresh).toMatchObject({ kind: 'refreshed' });
  });

  it('give way to a reconnect, and are forgotten', async () => {
    await receiveWithoutVault();
    const reconnected = await world.connect({ tenantId: job.tenantId, integration: 'demo' });
    expect(await refreshCredential(world.newEngine(), job)).toEqual({ kind: 'superseded' });
    expect(await spool().list()).toEqual([]);
    expect((await world.vault.credentials.get(job)).credential.metadata.revision).toBe(reconnected.revision);
  });

  it('stand encrypted in Redis', async () => {
    await receiveWithoutVault();
    const entries = await world.redis.hgetall('connectors:spool');
    await refreshCredential(world.newEngine(), job);
    const { accessToken, refreshToken } = await world.vault.getCredentials(job.tenantId, 'demo');
    expect(JSON.stringify(entries)).not.toContain(accessToken);
    expect(JSON.stringify(entries)).not.toContain(refreshToken);
  });

  it('cannot be moved to another tenant’s entry', async () => {
    await receiveWithoutVault();
    const other = await world.connect({ tenantId: `${job.tenantId}-other`, integration: 'demo' });
    const field = (data: RefreshJobData) => `${data.tenantId}/${data.integration}/${data.revision}`;
    const entry = (await world.redis.hget('connectors:spool', field(job))) ?? '';
    await world.redis.hset('connectors:spool', field(other), entry);
    expect(await spool().get(other)).toBeUndefined();
  });

  it.each([
    ['is no entry', 'nonsense'],
    [
      'Vault cannot open',
      JSON.stringify({ key: 'vault:v1:AAAA', nonce: 'AAAA', sealed: 'AAAA', tag: 'AAAA' }),
    ],
  ])('do not hold a credential up for ever when somebody has put there what %s', async (_what, entry) => {
    await world.redis.hset('connectors:spool', `${job.tenantId}/${job.integration}/${job.revision}`, entry);
    expect(await refreshCredential(world.newEngine(), job)).toMatchObject({ kind: 'refreshed' });
  });

  it('are stored also after another worker has given the credential up', async () => {
    const attempt = world.newEngine();
    world.provider.faults.next({ kind: 'hangAfterRotation' });
    const late = refreshCredential(attempt, job);
    await eventually(() => expect(world.provider.tokenRequests[0]?.status).toBe(200));
    // Past the deadline another worker spends the spent token.
    expect(await refreshCredential(world.newEngine({ ahead: 60_000 }), job)).toEqual({
      kind: 'needs_reauth',
      reason: 'response_lost',
    });
    world.provider.faults.release();
    expect(await late).toMatchObject({ kind: 'refreshed' });
    const { metadata } = (await world.vault.credentials.get(job)).credential;
    expect(metadata.status).toBe('active');
    expect(metadata.statusReason).toBeUndefined();
  });
});

describe('without Redis', () => {
  it('nobody knows what lies in the spool, so nothing is spent', async () => {
    const gone = {
      ...world.newEngine(),
      spool: new Spool(world.goneRedis, 'connectors', world.vault.spoolKeys, Date.now),
    };
    await expect(refreshCredential(gone, job)).rejects.toMatchObject({ code: 'queue_unavailable' });
    expect(world.provider.tokenRequests).toEqual([]);
  });
});
