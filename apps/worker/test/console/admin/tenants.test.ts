import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startRelay, type Relay } from '../../../../../packages/vault-core/test/start-relay.ts';
import { startWorld, type World } from '../../start-world.ts';
import { startAdmin, type Admin } from './start-admin.ts';

let world: World;
let admin: Admin;

beforeAll(async () => {
  world = await startWorld();
  admin = await startAdmin(world);
});

afterAll(async () => {
  await admin.close();
  await world.close();
});

beforeEach(() => world.clear());

const connect = (tenantId: string) =>
  world.connect({ tenantId, integration: 'demo' }, { expiresIn: 3_600, isScheduled: false });

/** What Vault answers to root. */
async function vaultStatus(path: string): Promise<number> {
  const { url, rootToken } = world.vaultServer;
  return (await fetch(`${url}/v1/${path}`, { headers: { 'x-vault-token': rootToken } })).status;
}

async function isAlive(token: string): Promise<boolean> {
  const { clientId, clientSecret } = world.provider.introspectionClient;
  const response = await fetch(world.provider.introspectionEndpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
    body: new URLSearchParams({ token }),
  });
  return ((await response.json()) as { active: boolean }).active;
}

describe('tenants', () => {
  it('are listed in pages', async () => {
    for (const tenantId of ['page1', 'page2', 'page3']) await connect(tenantId);
    const first = (await admin.call('GET', '/tenants?limit=2&after=page')).body;
    expect(first).toEqual({ items: [{ id: 'page1' }, { id: 'page2' }], next: 'page2' });
    const second = (await admin.call('GET', `/tenants?limit=2&after=${first.next}`)).body;
    expect(second.items[0]).toEqual({ id: 'page3' });
  });

  it.each([
    ['limit=0', 'limit: '],
    ['limit=201', 'limit: '],
    ['after=..%2F_agents', 'after: must be 1 to 64 characters'],
  ])('are not listed by %s', async (query, named) => {
    const answer = await admin.call('GET', `/tenants?${query}`);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(answer.body.detail).toContain(named);
  });

  it('are shown with their credentials', async () => {
    await connect('acme');
    expect((await admin.call('GET', '/tenants/acme')).body).toMatchObject({
      id: 'acme',
      credentials: [{ integration: 'demo', state: 'active' }],
    });
    expect((await admin.call('GET', '/tenants/nobody')).body).toEqual({ id: 'nobody', credentials: [] });
  });
});

/** A tenant with everything a tenant can have. */
async function settle(tenantId: string) {
  const job = await world.connect({ tenantId, integration: 'demo' }, { expiresIn: 3_600 });
  await world.admin.webhooks.create(tenantId, {
    url: 'https://hooks.example.com',
    events: ['needs_reauth'],
    enabled: true,
  });
  const { accessToken, refreshToken = '' } = await world.admin.getCredentials(tenantId, 'demo');
  return { job, tokens: [accessToken, refreshToken] };
}

async function expectGone(tenantId: string, { job, tokens }: Awaited<ReturnType<typeof settle>>) {
  const left = await Promise.all([
    vaultStatus(`secret/metadata/${tenantId}/demo`),
    vaultStatus(`secret/metadata/_webhooks/${tenantId}`),
    vaultStatus(`transit/keys/${tenantId}`),
    vaultStatus(`transit-refresh/keys/${tenantId}`),
  ]);
  expect(left).toEqual([404, 404, 404, 404]);
  expect(await Promise.all(tokens.map(isAlive))).toEqual([false, false]);
  expect(await world.queues.find(job)).toBeUndefined();
}

describe('offboarding a tenant', () => {
  it('ends its tokens, and leaves nothing of it that could be read', async () => {
    const settled = await settle('leaver');
    const { body: agent } = await admin.call('POST', '/agents', {
      name: 'a bot',
      grants: [{ tenants: ['other', 'leaver'] }],
    });
    await admin.call('POST', '/agents', { name: 'another', grants: [{ tenants: ['other'] }] });
    const answer = await admin.call('DELETE', '/tenants/leaver');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ credentials: 1, revoked: 1, failed: 0, agents: [agent.id] });
    await expectGone('leaver', settled);
    expect((await admin.call('GET', '/tenants?after=leave&limit=1')).body.items).not.toEqual([
      { id: 'leaver' },
    ]);
    expect((await admin.call('GET', '/tenants/leaver/events')).body.items).toEqual([]);
  });

  it('may be repeated', async () => {
    await settle('leaver');
    await admin.call('DELETE', '/tenants/leaver');
    expect(await admin.call('DELETE', '/tenants/leaver')).toMatchObject({
      status: 200,
      body: { credentials: 0, revoked: 0, failed: 0 },
    });
  });

  it('leaves other tenants alone', async () => {
    await settle('leaver');
    const stays = await connect('leaver-2');
    expect((await admin.call('DELETE', '/tenants/leaver')).status).toBe(200);
    await world.expectLivingGrant(stays);
  });

  it('goes on, and says so, where the provider cannot end the tokens', async () => {
    await settle('leaver');
    const document = await world.admin.credentials.get({ tenantId: 'leaver', integration: 'demo' });
    const broken = { ...document.credential, refreshToken: 'vault:v1:AAAA' };
    await world.admin.credentials.write(
      { tenantId: 'leaver', integration: 'demo' },
      broken,
      document.version,
    );
    const answer = await admin.call('DELETE', '/tenants/leaver');
    expect(answer.body).toMatchObject({ credentials: 1, revoked: 0, failed: 1 });
    expect(await vaultStatus('transit/keys/leaver')).toBe(404);
  });
});

describe('an offboarding that breaks off at any call to Vault', () => {
  let relay: Relay;

  /** Breaks one call after the other until one offboarding needs no more calls. */
  async function breakEach(fault: 'reset' | 'lost answer') {
    relay = await startRelay(world.vaultServer.url);
    const broken = await startAdmin(world, { VAULT_ADDR: relay.address, SWEEP_INTERVAL_SECONDS: '86400' });
    await vi.waitUntil(async () => (await fetch(`${broken.url}/readyz`)).ok, 10_000);
    // A sweep of its own must not meet what is meant for the offboarding.
    await vi.waitUntil(async () => (await world.redis.exists('connectors:epoch')) === 1, 10_000);
    let breaks = 0;
    for (let status = 503; status !== 200; breaks += 1) {
      const tenantId = `${fault.replace(' ', '-')}-${breaks}`;
      const settled = await settle(tenantId);
      let left = breaks;
      relay.disturb = ({ path }) => (path.includes(tenantId) && left-- === 0 ? fault : undefined);
      ({ status } = await broken.call('DELETE', `/tenants/${tenantId}`));
      relay.disturb = () => undefined;
      expect([200, 503]).toContain(status);
      expect((await broken.call('DELETE', `/tenants/${tenantId}`)).status).toBe(200);
      await expectGone(tenantId, settled);
    }
    await broken.close();
    return breaks;
  }

  it('is finished by the next one', { timeout: 60_000 }, async () => {
    expect(await breakEach('reset')).toBeGreaterThan(12);
  });

  it('is finished by the next one, also where Vault had done what it was asked for', async () => {
    expect(await breakEach('lost answer')).toBeGreaterThan(12);
  }, 60_000);
});
