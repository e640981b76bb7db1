import type { CredentialId } from '@connectors/vault-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startWorld, type World } from '../../start-world.ts';
import { startAdmin, type Admin } from './start-admin.ts';

let world: World;
let admin: Admin;

beforeAll(async () => {
  world = await startWorld();
  admin = await startAdmin(world, { REFRESH_COOLDOWN_SECONDS: '0', SWEEP_INTERVAL_SECONDS: '1' });
});

afterAll(async () => {
  await admin.close();
  await world.close();
});

beforeEach(() => world.clear());

const path = ({ tenantId, integration }: CredentialId) => `/tenants/${tenantId}/credentials/${integration}`;
const view = async (id: CredentialId) => (await admin.call('GET', path(id))).body;

describe('a credential', () => {
  it('is shown with everything but its tokens', async () => {
    const id = await world.connect({ tenantId: 'acme', integration: 'demo' }, { expiresIn: 3_600 });
    const shown = await view(id);
    expect(shown).toEqual({
      integration: 'demo',
      name: 'OpenID Connect',
      state: 'active',
      scopes: ['openid', 'offline_access', 'api:read'],
      connectedAt: expect.any(String) as string,
      tokenIssuedAt: expect.any(String) as string,
      expiresAt: expect.any(String) as string,
      nextRefreshAt: expect.any(String) as string,
      refreshCount: 0,
      revision: id.revision,
      canRefresh: true,
    });
    const lead = Date.parse(shown.expiresAt) - Date.parse(shown.nextRefreshAt);
    expect(lead).toBeGreaterThanOrEqual(300_000);
    expect(lead).toBeLessThan(331_000);
    const { accessToken, refreshToken } = await world.admin.getCredentials('acme', 'demo');
    expect(JSON.stringify(shown)).not.toContain(accessToken);
    expect(JSON.stringify(shown)).not.toContain(refreshToken);
  });

  it('that there is not is a 404', async () => {
    expect((await admin.call('GET', path({ tenantId: 'acme', integration: 'demo' }))).status).toBe(404);
  });

  it('fails while its refresh fails, and says how often, why and when it is tried again', async () => {
    const body = { error: 'temporarily_unavailable' };
    const id = await world.connect(
      { tenantId: 'acme', integration: 'demo' },
      { meets: { kind: 'status', status: 503, body } },
    );
    await world.jobAs('delayed', id);
    const shown = await view(id);
    expect(shown).toMatchObject({ state: 'failing', reason: expect.any(String) as string, retryCount: 1 });
    expect(Date.parse(shown.nextRefreshAt)).toBeGreaterThan(Date.now());
  });

  it('needs its user once the refresh token is dead, and says why', async () => {
    const body = { error: 'invalid_grant' };
    const id = await world.connect(
      { tenantId: 'acme', integration: 'demo' },
      { meets: { kind: 'status', status: 400, body } },
    );
    await world.jobAs('failed', id);
    expect(await view(id)).toMatchObject({
      state: 'needs_reauth',
      reason: 'invalid_grant',
      canRefresh: false,
    });
  });

  it('expires where nothing can refresh it', async () => {
    await world.admin.storeCredentials('acme', 'demo', {
      accessToken: 'a-token',
      expiresAt: new Date(Date.now() + 3_600_000),
      scopes: [],
      tokenType: 'Bearer',
      integration: 'demo',
      account: { id: '42', name: 'octocat' },
    });
    expect(await view({ tenantId: 'acme', integration: 'demo' })).toMatchObject({
      state: 'expiring',
      canRefresh: false,
      account: { id: '42', name: 'octocat' },
    });
  });

  it('that has ended needs its user where nothing can refresh it, and was said to expire soon', async () => {
    await world.admin.storeCredentials('acme', 'demo', {
      accessToken: 'a-token',
      expiresAt: new Date(Date.now() - 1),
      scopes: [],
      tokenType: 'Bearer',
      integration: 'demo',
    });
    expect(await view({ tenantId: 'acme', integration: 'demo' })).toMatchObject({
      state: 'needs_reauth',
      reason: 'token_expired',
    });
  });

  it('that nobody can read needs its user', async () => {
    const id = await world.connect({ tenantId: 'acme', integration: 'demo' }, { isScheduled: false });
    const { version } = await world.admin.credentials.get(id);
    await world.admin.credentials.write(id, { broken: true } as never, version);
    expect(await view(id)).toMatchObject({ state: 'needs_reauth', reason: 'unreadable' });
  });

  it('is listed with those of its tenant, and on demand with integrations never connected', async () => {
    expect((await admin.call('GET', '/tenants/acme/credentials')).body).toEqual({ items: [] });
    const { items } = (await admin.call('GET', '/tenants/acme/credentials?all=true')).body;
    expect(items).toEqual([
      {
        integration: 'demo',
        name: 'OpenID Connect',
        state: 'never_connected',
        scopes: [],
        canRefresh: false,
      },
    ]);
    await world.connect({ tenantId: 'acme', integration: 'demo' }, { expiresIn: 3_600 });
    const listed = (await admin.call('GET', '/tenants/acme/credentials')).body.items;
    expect(listed).toMatchObject([{ integration: 'demo', state: 'active' }]);
  });
});

describe('refresh now', () => {
  it('brings the refresh forward', async () => {
    const id = await world.connect({ tenantId: 'acme', integration: 'demo' }, { expiresIn: 3_600 });
    const answer = await admin.call('POST', `${path(id)}/refresh`);
    expect([answer.status, answer.body.outcome]).toEqual([202, 'hastened']);
    await vi.waitFor(async () => expect((await view(id)).refreshCount).toBe(1), 10_000);
  });

  it('waits for the end if it is told to', async () => {
    const id = await world.connect({ tenantId: 'acme', integration: 'demo' }, { expiresIn: 3_600 });
    const answer = await admin.call('POST', `${path(id)}/refresh?wait=20`);
    expect(answer).toMatchObject({
      status: 200,
      body: { outcome: 'refreshed', credential: { refreshCount: 1 } },
    });
  });

  it('says that it failed', async () => {
    const id = await world.connect({ tenantId: 'acme', integration: 'demo' }, { expiresIn: 3_600 });
    world.provider.faults.next({ kind: 'status', status: 500, body: '' });
    const answer = await admin.call('POST', `${path(id)}/refresh?wait=20`);
    expect(answer).toMatchObject({
      status: 200,
      body: { outcome: 'failed', credential: { state: 'failing' } },
    });
  });

  it('is a 404 without a credential', async () => {
    const id = { tenantId: 'acme', integration: 'demo' };
    expect((await admin.call('POST', `${path(id)}/refresh`)).status).toBe(404);
  });

  it('waits for half a minute at the most', async () => {
    const answer = await admin.call('POST', '/tenants/acme/credentials/demo/refresh?wait=31');
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toContain('wait: ');
  });
});

describe('disconnecting', () => {
  it('ends the tokens at the provider, and the credential here', async () => {
    const id = await world.connect({ tenantId: 'acme', integration: 'demo' }, { expiresIn: 3_600 });
    const answer = await admin.call('DELETE', path(id));
    expect(answer).toMatchObject({ status: 200, body: { existed: true, revocation: 'ended' } });
    expect((await admin.call('GET', path(id))).status).toBe(404);
    expect(await world.queues.find(id)).toBeUndefined();
  });

  it('may be repeated', async () => {
    const answer = await admin.call('DELETE', '/tenants/acme/credentials/demo');
    expect(answer).toMatchObject({ status: 200, body: { existed: false, revocation: 'none' } });
  });
});

describe('events', () => {
  const types = async (of: string) =>
    (await admin.call('GET', of)).body.items.map(({ type }: { type: string }) => type);

  it('of a tenant are told, the newest first, and no others', async () => {
    const mine = await world.connect({ tenantId: 'acme', integration: 'demo' });
    const other = await world.connect({ tenantId: 'umbrella', integration: 'demo' });
    await world.jobAs('completed', mine);
    await world.jobAs('completed', other);
    await admin.call('DELETE', path(mine));
    expect(await types('/tenants/acme/events')).toEqual(['credential-deleted', 'refresh-success']);
    expect((await types('/events')).toSorted()).toEqual([
      'credential-deleted',
      'refresh-success',
      'refresh-success',
    ]);
  });

  it('come in pages', async () => {
    const id = { tenantId: 'acme', integration: 'demo' };
    for (let round = 0; round < 3; round += 1) {
      await world.connect(id, { expiresIn: 3_600 });
      await admin.call('DELETE', path(id));
    }
    const { items } = (await admin.call('GET', '/tenants/acme/events')).body;
    const first = (await admin.call('GET', '/tenants/acme/events?limit=2')).body;
    const second = (await admin.call('GET', `/tenants/acme/events?limit=2&before=${first.next}`)).body;
    expect([...first.items, ...second.items]).toEqual(items);
    expect(first.items).toHaveLength(2);
    expect(second).not.toHaveProperty('next');
  });

  it('begin before an id that is one', async () => {
    const answer = await admin.call('GET', '/events?before=yesterday');
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toContain('before: must be the id of an event');
  });
});

describe('the overview', () => {
  it('counts tenants by state, names who needs somebody, and shows queues and refreshes', async () => {
    await world.connect({ tenantId: 'fine', integration: 'demo' }, { expiresIn: 3_600 });
    const refreshed = await world.connect({ tenantId: 'refreshed', integration: 'demo' });
    await world.jobAs('completed', refreshed);
    const body = { error: 'invalid_grant' };
    const refused = await world.connect(
      { tenantId: 'refused', integration: 'demo' },
      { meets: { kind: 'status', status: 400, body } },
    );
    await world.jobAs('failed', refused);
    // Nobody announced the first one: it is known from the next sweep on.
    await expect
      .poll(async () => (await admin.call('GET', '/overview')).body.tenants, { timeout: 15_000 })
      .toEqual({ active: 2, expiring: 0, failing: 0, needs_reauth: 1 });
    const overview = (await admin.call('GET', '/overview')).body;
    expect(overview.needSomebody).toEqual([
      {
        tenantId: 'refused',
        since: expect.any(String) as string,
        credentials: [{ integration: 'demo', state: 'needs_reauth', reason: 'invalid_grant' }],
      },
    ]);
    expect(overview.queues).toMatchObject([{ integration: 'demo', scheduled: 2, failed: 1 }]);
    expect(overview.refreshes.completed).toHaveLength(60);
    const sum = (figures: number[]) => figures.reduce((total, figure) => total + figure, 0);
    expect([sum(overview.refreshes.completed), sum(overview.refreshes.failed)]).toEqual([1, 1]);
    expect(overview.spool).toEqual({ entries: 0 });
  });
});
