import { Secret, type CredentialId, type RefreshJobData } from '@connectors/vault-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectMinted, refreshCredential, refreshDueAt } from '../src/index.ts';
import { startRefresh, type RefreshWorld } from './start-refresh.ts';

let world: RefreshWorld;
let id: CredentialId;
let tenants = 0;

beforeAll(async () => {
  const machine = { grant: 'client_credentials', scopes: ['api:read'] };
  const anyClient = { clientId: { pattern: '[a-z-]+' } };
  world = await startRefresh({ machine, 'own-client': { ...machine, fields: anyClient } });
});

afterAll(() => world.close());

beforeEach(() => {
  world.provider.faults.clear();
  world.provider.tokenRequests.length = 0;
  tenants += 1;
  id = { tenantId: `tenant-${tenants}`, integration: 'machine' };
});

function connect(fields = {}, grantSecret?: string) {
  const connection = {
    fields,
    ...(grantSecret === undefined ? {} : { grantSecret: new Secret(grantSecret) }),
  };
  return connectMinted(world.vault, world.newEngine(), id, connection);
}

async function job(): Promise<RefreshJobData> {
  const { credential } = await world.vault.credentials.get(id);
  return { ...id, revision: credential.metadata.revision };
}

const tokenOf = async () => (await world.vault.getCredentials(id.tenantId, id.integration)).accessToken;

describe('a tenant connected with client credentials', () => {
  it('has a token, no refresh token, and a refresh that is due before it expires', async () => {
    expect(await connect()).toMatchObject({ kind: 'stored' });
    const { credential } = await world.vault.credentials.get(id);
    expect(credential.refreshToken).toBeUndefined();
    expect(refreshDueAt(id, credential)).toBeLessThan(Date.parse(credential.expiresAt ?? ''));
    expect(await (await world.queues.find(await job()))?.isDelayed()).toBe(true);
  });

  it('gets a new token with each refresh', async () => {
    await connect();
    const first = await tokenOf();
    expect(await refreshCredential(world.newEngine(), await job())).toMatchObject({ kind: 'refreshed' });
    const second = await tokenOf();
    expect(await refreshCredential(world.newEngine(), await job())).toMatchObject({ kind: 'refreshed' });
    expect(new Set([first, second, await tokenOf()]).size).toBe(3);
  });

  it('loses nothing with a lost answer: the next attempt just asks again', async () => {
    await connect();
    world.provider.faults.next({ kind: 'cutAfterRotation' });
    expect(await refreshCredential(world.newEngine(), await job())).toMatchObject({ kind: 'retry' });
    const later = world.newEngine({ ahead: 60_000 });
    expect(await refreshCredential(later, await job())).toMatchObject({ kind: 'refreshed' });
  });
});

describe('a tenant connected with a client of its own', () => {
  beforeEach(() => {
    id = { ...id, integration: 'own-client' };
  });

  it('has its secret encrypted in Vault, and its tokens minted with that', async () => {
    const { clientId = '', clientSecret = '' } = world.tenantsOwn ?? {};
    await connect({ clientId }, clientSecret);
    const { credential } = await world.vault.credentials.get(id);
    expect(credential.grantSecret).toMatch(/^vault:v1:/);
    expect(JSON.stringify(credential)).not.toContain(clientSecret);
    await refreshCredential(world.newEngine(), await job());
    expect(world.provider.tokenRequests.map((request) => request.clientId)).toEqual([clientId, clientId]);
    expect((await world.vault.credentials.get(id)).credential.grantSecret).toBe(credential.grantSecret);
  });

  it('is told at once that its secret is wrong, and nothing is stored', async () => {
    const result = await connect({ clientId: world.tenantsOwn?.clientId }, 'wrong');
    expect(result).toMatchObject({ kind: 'failure', failure: { reason: 'invalid_client' } });
    expect(await world.vault.credentials.find(id)).toBeUndefined();
  });

  it.each([
    ['missing', {}, 'fields.clientId: is required'],
    ['malformed', { clientId: '../x' }, 'fields.clientId: must match [a-z-]+'],
  ])('is refused with a field that is %s, before anything is asked', async (_what, fields, problem) => {
    await expect(connect(fields, 'any')).rejects.toMatchObject({ code: 'invalid_request', message: problem });
    expect(world.provider.tokenRequests).toEqual([]);
  });
});

it('an integration that needs the consent of a user is not connected without', async () => {
  id = { ...id, integration: 'demo' };
  await expect(connect()).rejects.toMatchObject({ code: 'invalid_request' });
});

it('a credential whose integration was given another grant waits for its operator', async () => {
  await connect();
  const data = await job();
  const integrations = new Map(world.newEngine().integrations);
  const demo = integrations.get('demo');
  if (demo !== undefined) integrations.set('machine', demo);
  expect(await refreshCredential({ ...world.newEngine(), integrations }, data)).toEqual({
    kind: 'retry',
    reason: 'integration_changed',
  });
});
