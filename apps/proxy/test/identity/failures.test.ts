import { BlockList } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bearer, call, problemOf } from '../call.ts';
import { audience, startIssuer, type Issuer } from '../start-issuer.ts';
import { startSystem, type System } from '../start-system.ts';

let issuer: Issuer;
let system: System;
let ids = 0;

beforeAll(async () => {
  issuer = await startIssuer(() => system.clock.now());
  const claims = { tenants: 'tenants', integrations: undefined, grants: undefined };
  const trustedProxies = new BlockList();
  trustedProxies.addAddress('127.0.0.1');
  const tokens = { issuer: issuer.url, audience, jwksUrl: undefined, claims };
  system = await startSystem({ tokens, trustedProxies });
});
beforeEach(() => {
  system.clock.offset += 60_000;
});
afterAll(async () => {
  await system.close();
  await issuer.close();
});

const ask = (headers: Record<string, string>) => call(system.url, '/proxy/demo/', { headers });
const statusOf = async (token: string) => (await ask(bearer(token))).status;
const newKey = () => `cak_nobody${(ids += 1)}_secret`;

/** Presents wrong keys until the address has to wait. */
async function exhaust(present: () => string = newKey): Promise<number[]> {
  const statuses = [];
  do statuses.push(await statusOf(present()));
  while (statuses.at(-1) !== 429 && statuses.length < 50);
  return statuses;
}

describe('who presents wrong keys', () => {
  test('is told to wait after twenty of them', async () => {
    expect(await exhaust()).toEqual([...Array.from({ length: 20 }, () => 401), 429]);
    const answer = await ask(bearer(newKey()));
    expect(answer.headers['retry-after']).toBe('1');
    expect(problemOf(answer)).toMatchObject({
      code: 'rate_limited',
      detail: 'Too many wrong keys came from your address',
    });
  });

  test('costs Vault nothing then', async () => {
    await exhaust();
    system.vaultServer.seal();
    const statuses = [await statusOf(newKey()), await statusOf(newKey())];
    system.vaultServer.unseal();
    expect(statuses).toEqual([429, 429]);
  });

  test('may try once more after a second', async () => {
    await exhaust();
    system.clock.offset += 1_000;
    expect([await statusOf(newKey()), await statusOf(newKey())]).toEqual([401, 429]);
  });

  test('is counted for wrong secrets of one agent as well', async () => {
    const { id } = await system.createAgent({ tenants: ['nobody'] });
    expect(await exhaust(() => `cak_${id}_wrong`)).toHaveLength(21);
  });

  test('is counted for an id that nobody has, asked for again', async () => {
    const key = newKey();
    expect(await exhaust(() => key)).toHaveLength(21);
  });

  test('is counted for forged tokens as well', async () => {
    const token = await issuer.sign();
    expect(await exhaust(() => `${token.slice(0, -6)}AAAAAA`)).toHaveLength(21);
  });
});

test('behind a load balancer that is trusted, each address is counted for itself', async () => {
  const from = async (address: string) =>
    (await ask({ ...bearer(newKey()), 'x-forwarded-for': `made-up, ${address}` })).status;
  for (let i = 0; i < 20; i += 1) await from('203.0.113.7');
  expect([await from('203.0.113.7'), await from('203.0.113.8')]).toEqual([429, 401]);
  expect([await from('2001:db8::1'), await statusOf(newKey())]).toEqual([401, 401]);
});

test('who presents nothing, or what is no key, is not counted', async () => {
  const answers = [];
  for (let count = 0; count < 25; count += 1) answers.push((await ask({})).status);
  expect(answers).not.toContain(429);
});

describe('while wrong keys come from its address, a good one is let in:', () => {
  test('a key that was used before', async () => {
    const { key } = await system.createAgent({ tenants: ['nobody'] });
    await statusOf(key);
    await exhaust();
    expect(await statusOf(key)).toBe(424);
  });

  test('a key of an agent that was last seen long ago', async () => {
    const { key } = await system.createAgent({ tenants: ['nobody'] });
    await statusOf(key);
    system.clock.offset += 120_000;
    await exhaust();
    expect(await statusOf(key)).toBe(424);
  });

  test('a new key of an agent that is known', async () => {
    const { id, key } = await system.createAgent({ tenants: ['nobody'] });
    await statusOf(key);
    const rotated = await system.admin.agents.rotate(id, 60_000);
    await system.publish({ type: 'agent-changed', agentId: id });
    await exhaust();
    expect(await statusOf(rotated?.key.reveal() ?? '')).toBe(424);
  });

  test('a token that nobody has seen before', async () => {
    await exhaust();
    expect(await statusOf(await issuer.sign({ claims: { sub: 'new' } }))).toBe(424);
  });

  test('a key that nobody has seen before, once nobody is faster', async () => {
    const { key } = await system.createAgent({ tenants: ['nobody'] });
    await exhaust();
    expect(await statusOf(key)).toBe(429);
    system.clock.offset += 1_000;
    expect(await statusOf(key)).toBe(424);
  });
});
