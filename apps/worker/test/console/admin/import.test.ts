import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../../start-world.ts';
import { startAdmin, type Admin } from './start-admin.ts';

let world: World;
let admin: Admin;

beforeAll(async () => {
  world = await startWorld();
  admin = await startAdmin(world, {
    GITHUB_APP_CLIENT_ID: 'an-app',
    GITHUB_APP_CLIENT_KEY: generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    }).privateKey,
  });
});

afterAll(async () => {
  await admin.close();
  await world.close();
});

beforeEach(() => world.clear());

const path = '/tenants/acme/credentials/demo';
const tokens = {
  accessToken: 'imported-access-token',
  refreshToken: 'imported-refresh-token',
  expiresAt: '2100-01-01T00:00:00Z',
};

describe('an import', () => {
  it('stores tokens, schedules their refresh and tells everybody', async () => {
    const account = { id: '42', name: 'octocat' };
    const answer = await admin.call('PUT', path, { ...tokens, scopes: ['api:read'], account });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ state: 'active', canRefresh: true, scopes: ['api:read'], account });
    expect(JSON.stringify(answer.body)).not.toContain('imported-');
    const stored = await world.admin.getCredentials('acme', 'demo');
    expect(stored.accessToken).toBe(tokens.accessToken);
    expect(stored.refreshToken).toBe(tokens.refreshToken);
    expect(stored.expiresAt?.toISOString()).toBe('2100-01-01T00:00:00.000Z');
    await world.jobAs('delayed', {
      tenantId: 'acme',
      integration: 'demo',
      revision: stored.metadata.revision,
    });
    await expect.poll(() => world.events.map(({ type }) => type)).toContain('credential-stored');
  });

  it('replaces what is stored', async () => {
    await admin.call('PUT', path, tokens);
    const answer = await admin.call('PUT', path, { ...tokens, accessToken: 'another' });
    expect(answer.status).toBe(200);
    expect((await world.admin.getCredentials('acme', 'demo')).accessToken).toBe('another');
  });

  it.each([
    ['no access token', { accessToken: '' }, 'accessToken: '],
    ['a line break in a token', { accessToken: 'imported-a\n' }, 'accessToken: must be visible'],
    ['a sign that no header takes', { refreshToken: 'imported-\u2028' }, 'refreshToken: must be visible'],
    ['an end without a zone', { expiresAt: '2100-01-01' }, 'expiresAt: '],
    ['a field that the provider does not know', { fields: { shop: 'a' } }, 'fields.shop: there is no such'],
    ['a word that it does not know', { secret: 'a' }, 'secret: there is no such'],
    [
      'an end that is over, and nothing to go on with',
      { expiresAt: '2020-01-01T00:00:00Z', refreshToken: undefined },
      'expiresAt: must be in the future without a refreshToken',
    ],
    ['an account without an id', { account: { name: 'a' } }, 'account.id: '],
  ])('is refused with %s, naming the field', async (_what, change, named) => {
    const answer = await admin.call('PUT', path, { ...tokens, ...change });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(answer.body.detail).toContain(named);
    expect(answer.body.detail).not.toContain('imported-');
    expect(await world.admin.credentials.has({ tenantId: 'acme', integration: 'demo' })).toBe(false);
  });

  it('is refused for an integration that is not configured', async () => {
    const answer = await admin.call('PUT', '/tenants/acme/credentials/nothing', tokens);
    expect(answer).toMatchObject({ status: 404, body: { code: 'integration_unknown' } });
  });

  it('is refused where tokens are minted', async () => {
    const answer = await admin.call('PUT', '/tenants/acme/credentials/github-app', tokens);
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toContain('minted');
  });
});

describe('minting', () => {
  it('says why there is no token', async () => {
    const answer = await admin.call('POST', '/tenants/acme/credentials/github-app/mint', {
      fields: { installationId: '7' },
      grantSecret: 'not a key',
    });
    expect(answer).toMatchObject({
      status: 422,
      body: { code: 'provider_refused', reason: 'private_key_invalid' },
    });
  });

  it('wants the fields of the provider, by name', async () => {
    const answer = await admin.call('POST', '/tenants/acme/credentials/github-app/mint', {});
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toContain('fields.installationId: is required');
  });

  it('is not for integrations that want a user', async () => {
    const answer = await admin.call('POST', `${path}/mint`, {});
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toContain('integration: demo needs the consent of a user');
  });
});

describe('integrations', () => {
  it('are listed with what has to be registered at the provider', async () => {
    const { items } = (await admin.call('GET', '/integrations')).body;
    expect(items).toContainEqual(
      expect.objectContaining({
        id: 'demo',
        grant: 'authorization_code',
        isReady: true,
        problems: [],
        callbackUrl: 'http://127.0.0.1:8090/connect/callback/demo',
        surfaces: ['rest'],
      }),
    );
    const app = items.find(({ id }: { id: string }) => id === 'github-app');
    expect(app).not.toHaveProperty('callbackUrl');
  });
});
