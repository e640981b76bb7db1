import Fastify from 'fastify';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { registerHealth } from '../../src/routes/health.ts';

test('Vault is asked how it is once a second, however often anybody asks how the proxy is', async () => {
  const app = Fastify();
  let asked = 0;
  let now = 0;
  registerHealth(app, {
    isVaultUp: () => Promise.resolve(++asked % 2 === 1),
    isRedisUp: () => true,
    hasCredentials: () => true,
    metrics: new Registry(),
    collect: () => undefined,
    now: () => now,
  });
  const vault = async () => (await app.inject('/readyz')).json<{ vault: string }>().vault;
  expect(await Promise.all(Array.from({ length: 20 }, vault))).toEqual(Array(20).fill('ok'));
  now = 1_000;
  expect([await vault(), await vault()]).toEqual(['down', 'down']);
  expect(asked).toBe(2);
});
