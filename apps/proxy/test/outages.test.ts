import { startRedis } from '@connectors/dev-servers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { bearer, call, echoOf, problemOf } from './call.ts';
import { startSystem, type System } from './start-system.ts';

let system: System;
beforeEach(async () => {
  system = await startSystem({ refreshWaitMs: 300 });
  // Its first word is that everything known so far may be stale.
  await vi.waitUntil(() => system.events.isConnected);
});
afterEach(() => system.close());

async function connected(tenant: string) {
  const { accessToken } = await system.connect(tenant);
  const { key } = await system.createAgent({ tenants: [tenant] });
  return { key, accessToken, send: () => call(system.url, '/proxy/demo/', { headers: bearer(key) }) };
}

const readiness = async () => {
  const answer = await call(system.url, '/readyz');
  return [answer.status, JSON.parse(answer.text)] as const;
};

test('the proxy is ready when all of its parts work', async () => {
  expect(await readiness()).toEqual([200, { status: 'ok', vault: 'ok', redis: 'ok' }]);
});

describe('while Vault is sealed', () => {
  test('what is cached serves on, beyond its usual age', async () => {
    const { send } = await connected('acme');
    await send();
    system.vaultServer.seal();
    expect((await send()).status).toBe(200);
    system.clock.offset += 120_000;
    const answers = await Promise.all([send(), send(), send()]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test('nothing serves beyond the expiry of its token', async () => {
    const { send } = await connected('acme');
    await send();
    system.vaultServer.seal();
    system.clock.offset += 3_600_000;
    const answer = await send();
    expect([answer.status, problemOf(answer).code]).toEqual([503, 'vault_unavailable']);
  });

  test('what is not cached is a 503 that says when to retry', async () => {
    const { key } = await connected('acme');
    const other = await system.createAgent({ tenants: ['acme'] });
    await call(system.url, '/proxy/rest-only/', { headers: bearer(key) });
    system.vaultServer.seal();
    const credential = await call(system.url, '/proxy/demo/', { headers: bearer(key) });
    const agent = await call(system.url, '/proxy/demo/', { headers: bearer(other.key) });
    for (const answer of [credential, agent]) {
      expect([answer.status, problemOf(answer).code, answer.headers['retry-after']]).toEqual([
        503,
        'vault_unavailable',
        '5',
      ]);
    }
  });

  test('a problem tells agents nothing of paths in Vault', async () => {
    const { send } = await connected('acme');
    system.vaultServer.seal();
    expect(problemOf(await send()).detail).toBe('Vault cannot be reached, is sealed or refuses us');
  });

  test('a refused token is a 503, since nobody knows whether there is a newer one', async () => {
    const { accessToken, send } = await connected('acme');
    await send();
    await system.authorizationServer.revokeAccessToken(accessToken);
    system.vaultServer.seal();
    await expect.poll(async () => problemOf(await send()).code, { timeout: 3_000 }).toBe('vault_unavailable');
  });

  test('the proxy is ready as long as its cache can serve, and says what is down', async () => {
    const { send } = await connected('acme');
    system.vaultServer.seal();
    expect(await readiness()).toEqual([503, { status: 'unavailable', vault: 'down', redis: 'ok' }]);
    system.vaultServer.unseal();
    await send();
    system.vaultServer.seal();
    expect(await readiness()).toEqual([200, { status: 'degraded', vault: 'down', redis: 'ok' }]);
  });

  test('and once it is unsealed, everything serves again', async () => {
    const { send } = await connected('acme');
    system.vaultServer.seal();
    const before = await send();
    system.vaultServer.unseal();
    system.clock.offset += 2_000;
    const after = await send();
    expect([before.status, after.status]).toEqual([503, 200]);
  });
});

describe('while no worker is there', () => {
  test('a refused token is waited for no longer than REFRESH_WAIT_MS', async () => {
    const { accessToken, send } = await connected('acme');
    await system.authorizationServer.revokeAccessToken(accessToken);
    const answer = await send();
    expect([answer.status, problemOf(answer).code]).toEqual([502, 'upstream_rejected_credential']);
  });
});

describe('while Redis is away', () => {
  beforeEach(async () => {
    await system.redis.close();
    await vi.waitUntil(() => !system.events.isConnected);
  });

  test('requests are served, cached or not', async () => {
    const { send } = await connected('acme');
    const answers = [await send(), await send()];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });

  test('the proxy is ready, and says what is down', async () => {
    expect(await readiness()).toEqual([200, { status: 'degraded', vault: 'ok', redis: 'down' }]);
  });

  test('a refused token is a 503 that says when to retry', async () => {
    const { accessToken, send } = await connected('acme');
    await system.authorizationServer.revokeAccessToken(accessToken);
    const answer = await send();
    expect([answer.status, problemOf(answer).code, answer.headers['retry-after']]).toEqual([
      503,
      'queue_unavailable',
      '2',
    ]);
  });

  test('a token about to expire is sent while it lives, since nobody can be asked for another', async () => {
    const { send } = await connected('acme');
    system.clock.offset += 3_596_000;
    const alive = await send();
    system.clock.offset += 4_000;
    const dead = await send();
    expect([alive.status, dead.status, problemOf(dead).code]).toEqual([200, 503, 'queue_unavailable']);
  });

  test('a deleted agent is refused after five seconds', async () => {
    const { id, key } = await system.createAgent({ tenants: ['nobody'] });
    const send = () => call(system.url, '/proxy/demo/', { headers: bearer(key) });
    await send();
    await system.admin.agents.delete(id);
    const before = await send();
    system.clock.offset += 5_000;
    expect([before.status, (await send()).status]).toEqual([424, 401]);
  });

  test('events are heard again once it is back, and what they might have told is looked up', async () => {
    const { accessToken, send } = await connected('acme');
    await send();
    const reconnected = await system.connect('acme');
    const port = Number(new URL(system.redis.url).port);
    const redis = await startRedis({ port });
    await expect.poll(() => system.events.isConnected, { timeout: 10_000 }).toBe(true);
    const echo = echoOf(await send());
    await redis.close();
    expect(reconnected.accessToken).not.toBe(accessToken);
    expect(system.rest.tokensSeen.get(echo.tokenFingerprint)).toBe(1);
  });
});
