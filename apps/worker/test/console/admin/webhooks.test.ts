import { openWebhook, startRedis } from '@connectors/dev-servers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startReceiver } from '../../start-receiver.ts';
import { startWorld, type World } from '../../start-world.ts';
import { startAdmin, type Admin } from './start-admin.ts';

let world: World;
let admin: Admin;
let tenants = 0;

beforeAll(async () => {
  world = await startWorld();
  admin = await startAdmin(world);
});

afterAll(async () => {
  await admin.close();
  await world.close();
});

const url = 'http://127.0.0.1:9/hooks?key=of-the-tenant';

function newPath(): string {
  tenants += 1;
  return `/tenants/tenant-${tenants}/webhooks`;
}

/** An endpoint, and the path of it. */
async function create(body: object = {}, path = newPath()) {
  const answer = await admin.call('POST', path, { url, ...body });
  expect(answer.status).toBe(201);
  return { created: answer.body, list: path, path: `${path}/${answer.body.id}` };
}

describe('creating a webhook', () => {
  it('answers with its secret, which is shown this once', async () => {
    const { created, path, list } = await create({ description: 'the duty phone' });
    expect(created).toEqual({
      id: expect.stringMatching(/^[a-z2-7]{16}$/) as string,
      url,
      events: ['refresh-failed', 'refresh-retry', 'needs_reauth', 'connected', 'connect-failed'],
      description: 'the duty phone',
      enabled: true,
      createdAt: expect.any(String) as string,
      updatedAt: expect.any(String) as string,
      secret: expect.stringMatching(/^whsec_/) as string,
    });
    const { secret, ...shown } = created;
    expect((await admin.call('GET', path)).body).toEqual(shown);
    expect((await admin.call('GET', list)).body).toEqual({ items: [shown] });
    for (const address of [path, list, `${path}/deliveries`])
      expect(JSON.stringify((await admin.call('GET', address)).body)).not.toMatch(`${secret}|vault:`);
  });

  it('takes the types of events that somebody wants', async () => {
    const { created } = await create({ events: ['refresh-success', 'needs_reauth', 'needs_reauth'] });
    expect(created.events).toEqual(['refresh-success', 'needs_reauth']);
  });

  it('tells other workers', async () => {
    const { list } = await create();
    const tenantId = list.split('/')[2];
    await vi.waitFor(
      () => expect(world.events).toContainEqual({ type: 'webhooks-changed', tenantId }),
      10_000,
    );
  });

  it.each([
    ['no address', {}, 'url: is missing'],
    ['a private address', { url: 'https://10.0.0.1/hooks' }, 'address_not_public'],
    ['plain http', { url: 'http://hooks.example.com' }, 'url: must begin with https://'],
    ['a password in the address', { url: 'https://a:b@hooks.example.com' }, 'credentials_in_url'],
    ['what is no address', { url: 'hooks' }, 'invalid_url'],
    ['an address without end', { url: `https://hooks.example.com/${'x'.repeat(2_048)}` }, 'url'],
    ['an event that there is not', { url, events: ['refresh-failure'] }, 'events.0'],
    ['no event', { url, events: [] }, 'events'],
    ['a field that there is not', { url, secret: 'mine' }, 'secret: there is no such field here'],
    ['no object', '[]', 'body'],
  ])('is refused with %s, naming what is wrong', async (_what, body, named) => {
    const path = newPath();
    const answer = await admin.call('POST', path, body);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({ status: 400, detail: expect.stringContaining(named) as string });
    expect((await admin.call('GET', path)).body).toEqual({ items: [] });
  });

  it('is refused for what is no JSON', async () => {
    expect((await admin.call('POST', newPath(), '{')).status).toBe(400);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await admin.call('POST', newPath(), `url=${url}`, form)).status).toBe(415);
  });

  it('is refused for a body without end', async () => {
    const answer = await admin.call('POST', newPath(), { url, description: 'x'.repeat(70_000) });
    expect(answer.status).toBe(413);
  });

  it.each(['..%2Facme', '_agents', 'a b', 'x'.repeat(65)])(
    'is refused for a tenant whose id breaks the rule: %s',
    async (tenant) => {
      const answer = await admin.call('POST', `/tenants/${encodeURI(tenant)}/webhooks`, { url });
      expect(answer.status).toBe(400);
      expect(answer.body.detail).toContain('tenantId: must be 1 to 64 characters');
    },
  );
});

describe('a webhook', () => {
  it('is changed, and keeps what is not named', async () => {
    const { created, path } = await create({ description: 'old' });
    const changed = await admin.call('PATCH', path, { events: ['needs_reauth'], description: null });
    const { secret: _once, description: _old, ...kept } = created;
    expect(changed.body).toEqual({ ...kept, events: ['needs_reauth'], updatedAt: changed.body.updatedAt });
    expect((await admin.call('GET', path)).body).toEqual(changed.body);
  });

  it('takes no address that cannot be delivered to', async () => {
    const { path } = await create();
    expect((await admin.call('PATCH', path, { url: 'https://[::1]/' })).status).toBe(400);
    expect((await admin.call('GET', path)).body.url).toBe(url);
  });

  it('is switched off and on', async () => {
    const { path } = await create();
    expect((await admin.call('PATCH', path, { enabled: false })).body.enabled).toBe(false);
    expect((await admin.call('POST', `${path}/test`)).status).toBe(409);
    expect((await admin.call('PATCH', path, { enabled: true })).body.enabled).toBe(true);
  });

  it('is deleted', async () => {
    const { path } = await create();
    expect((await admin.call('DELETE', path)).status).toBe(204);
    expect((await admin.call('GET', path)).status).toBe(404);
    expect((await admin.call('DELETE', path)).status).toBe(404);
  });

  it.each([
    ['GET', ''],
    ['PATCH', ''],
    ['DELETE', ''],
    ['POST', '/rotate-secret'],
    ['POST', '/test'],
    ['GET', '/deliveries'],
  ])('of another tenant is one that there is not: %s …%s', async (method, action) => {
    const { created, path } = await create();
    const foreign = `${newPath()}/${created.id}${action}`;
    const answer = await admin.call(method, foreign, method === 'PATCH' ? { enabled: false } : undefined);
    expect(answer.status).toBe(404);
    expect((await admin.call('GET', path)).body.enabled).toBe(true);
  });

  it('gets a new secret, and tells until when the old one is good', async () => {
    const { created, path } = await create();
    const rotated = await admin.call('POST', `${path}/rotate-secret`, { overlapSeconds: 3_600 });
    expect(rotated.body.secret).toMatch(/^whsec_/);
    expect(rotated.body.secret).not.toBe(created.secret);
    const until = Date.parse((await admin.call('GET', path)).body.previousSecretUntil);
    expect(Math.abs(until - Date.now() - 3_600_000)).toBeLessThan(60_000);
  });

  it('gets a new secret without a word on the overlap, and none for a word that is wrong', async () => {
    const { path } = await create();
    expect((await admin.call('POST', `${path}/rotate-secret`)).status).toBe(200);
    const tooLong = await admin.call('POST', `${path}/rotate-secret`, { overlapSeconds: 604_801 });
    expect(tooLong.status).toBe(400);
  });

  it('is tested, and its deliveries tell what came of it', async () => {
    const receiver = await startReceiver();
    const { created, path } = await create({ url: receiver.url, events: ['needs_reauth'] });
    const test = await admin.call('POST', `${path}/test`);
    expect(test.status).toBe(202);
    const about = { id: test.body.deliveryId, type: 'test' };
    await vi.waitFor(
      async () =>
        expect((await admin.call('GET', `${path}/deliveries`)).body.items).toMatchObject([
          { ...about, state: 'completed', attempts: 1, lastResult: 'http_204' },
        ]),
      10_000,
    );
    expect(receiver.received.map((request) => openWebhook(created.secret, request))).toMatchObject([
      { type: 'test' },
    ]);
  });
});

describe('the caller is told when to come again', () => {
  it('while Vault is sealed', async () => {
    world.vaultServer.seal();
    const answer = await admin.call('GET', newPath());
    world.vaultServer.unseal();
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(answer.body.detail).toBe('Vault cannot be reached, is sealed or refuses us');
  });

  it('while Vault is sealed, and the log says what was asked of Vault and what it is', async () => {
    world.vaultServer.seal();
    await admin.call('GET', '/tenants/logged/webhooks');
    world.vaultServer.unseal();
    const line = admin.lines.find((each) => each.includes('admin API unavailable')) ?? '{}';
    expect(JSON.parse(line)).toMatchObject({ code: 'vault_unavailable', level: 40 });
    expect(admin.lines.join()).toMatch(/Vault read secret\/data\/_webhooks\/logged: sealed \(503\)/);
  });

  it('while Redis is away, where it is needed', async () => {
    const { path } = await create();
    const redis = await startRedis();
    const other = await startAdmin(world, { REDIS_URL: redis.url });
    await redis.close();
    for (const call of [
      () => other.call('POST', `${path}/test`),
      () => other.call('GET', `${path}/deliveries`),
    ])
      await expect
        .poll(call, { timeout: 10_000 })
        .toMatchObject({ status: 503, body: { title: 'Service Unavailable' } });
    expect((await other.call('PATCH', path, { description: 'still' })).status).toBe(200);
    await other.close();
  });
});
