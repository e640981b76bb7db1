import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { connectRedis } from '@connectors/vault-core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { countInRedis } from '../src/access/count-in-redis.ts';
import { TenantRates } from '../src/access/tenant-rates.ts';
import { bearer, call, open, problemOf } from './call.ts';
import { prefix, startSystem, type System, type SystemOptions } from './start-system.ts';

async function start(options: SystemOptions) {
  const system = await startSystem(options);
  onTestFinished(() => system.close());
  return system;
}

/** A tenant's agent, and how it calls. */
async function agentOf(system: System, tenant: string, isConnected = true) {
  if (isConnected) {
    await system.connect(tenant);
    await system.connect(tenant, 'rest-only');
  }
  const { key } = await system.createAgent({ tenants: [tenant] });
  return {
    key,
    send: (path = '/proxy/demo/') => call(system.url, path, { headers: bearer(key) }),
    open: (path: string) => open(system.url, path, { headers: bearer(key) }),
  };
}

const refusal = (answer: Awaited<ReturnType<typeof call>>) => [
  answer.status,
  problemOf(answer).code,
  answer.headers['retry-after'],
];

describe('the rate of a tenant', () => {
  const tenantRate = { perSecond: 0.1, burst: 3 };

  test('is for all of its agents together, and says how long to wait', async () => {
    const system = await start({ tenantRate });
    const one = await agentOf(system, 'acme');
    const other = await agentOf(system, 'acme', false);
    const answers = [await one.send(), await other.send(), await one.send()];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(refusal(await other.send())).toEqual([429, 'rate_limited', '10']);
    system.clock.offset += 10_000;
    expect((await other.send()).status).toBe(200);
  });

  test('is nobody else’s', async () => {
    const system = await start({ tenantRate });
    const [busy, quiet] = [await agentOf(system, 'busy'), await agentOf(system, 'quiet')];
    for (let i = 0; i < 4; i += 1) await busy.send();
    expect((await quiet.send()).status).toBe(200);
  });

  test('is shared by all replicas, over keys that hold a number and expire', async () => {
    const system = await start({ tenantRate: { perSecond: 0.01, burst: 1_000 } });
    const { send } = await agentOf(system, 'acme');
    await send();
    const redis = connectRedis(system.redis.url, 'background', () => undefined);
    onTestFinished(() => redis.disconnect());
    const replica = new TenantRates({
      limit: { perSecond: 0.01, burst: 10_000 },
      countTogether: countInRedis(redis, prefix),
      now: system.clock.now,
    });
    for (let i = 0; i < 2_000; i += 1) replica.take('acme');
    // A count that was there before is nobody's debt: the proxy has to have looked once.
    await expect.poll(() => redis.get(`${prefix}:rate:acme`)).toBe('1');
    await replica.report();
    await expect.poll(async () => (await send()).status).toBe(429);
    expect(Number(await redis.get(`${prefix}:rate:acme`))).toBeGreaterThan(2_000);
    expect(await redis.pttl(`${prefix}:rate:acme`)).toBeGreaterThan(50_000);
  });

  test('is kept by the proxy alone while Redis is away', async () => {
    const system = await start({ tenantRate });
    const { send } = await agentOf(system, 'acme');
    await send();
    await system.redis.close();
    const answers = [await send(), await send(), await send()];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
  });
});

describe('an integration that is busy', () => {
  const occupancy = { maxRequests: 100, maxPerIntegration: 2, maxStreams: 3 };

  /** Two requests, of two tenants, that the upstream keeps waiting. */
  async function busy() {
    const system = await start({ occupancy });
    const [acme, umbrella] = [await agentOf(system, 'acme'), await agentOf(system, 'umbrella')];
    const waiting = [acme.send('/proxy/demo/slow'), umbrella.send('/proxy/demo/slow')];
    await expect.poll(() => system.rest.requests.filter(({ url }) => url === '/slow')).toHaveLength(2);
    return { system, agent: await agentOf(system, 'initech'), acme, waiting };
  }

  test('takes no more requests than it may, and says when to come again', async () => {
    const { system, agent, waiting } = await busy();
    expect(refusal(await agent.send())).toEqual([503, 'overloaded', '2']);
    system.rest.release();
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200]);
    await expect.poll(async () => (await agent.send()).status).toBe(200);
  });

  test('keeps no other integration from being used', async () => {
    const { system, acme, waiting } = await busy();
    expect((await acme.send('/proxy/rest-only/')).status).toBe(200);
    system.rest.release();
    await Promise.all(waiting);
  });

  test('has room again when an agent went away', async () => {
    const system = await start({ occupancy });
    const agent = await agentOf(system, 'acme');
    const response = await agent.open('/proxy/demo/bytes/99999999');
    expect((await agent.send()).status).toBe(429);
    response.destroy();
    await expect.poll(async () => (await agent.send()).status).toBe(200);
  });

  test('is not kept busy by streams of events that have begun', async () => {
    const system = await start({ occupancy });
    const agent = await agentOf(system, 'acme');
    const streams = [];
    for (let i = 0; i < 3; i += 1) streams.push(await agent.open('/proxy/demo/events?n=2&interval=3600000'));
    expect(streams.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200]);
    expect((await agent.send()).status).toBe(200);
    for (const stream of streams) stream.destroy();
  });
});

test('a tenant has no more streams open than it may, and one more when one has ended', async () => {
  const system = await start({ occupancy: { maxRequests: 100, maxPerIntegration: 100, maxStreams: 2 } });
  const [acme, umbrella] = [await agentOf(system, 'acme'), await agentOf(system, 'umbrella')];
  const path = '/proxy/demo/events?n=2&interval=3600000';
  const streams = [await acme.open(path), await acme.open(path)];
  expect(refusal(await acme.send(path))).toEqual([429, 'rate_limited', '2']);
  streams.push(await umbrella.open(path));
  expect((await acme.send()).status).toBe(200);
  streams[0]?.destroy();
  await expect
    .poll(async () => {
      const stream = await acme.open(path);
      streams.push(stream);
      return stream.statusCode;
    })
    .toBe(200);
  for (const stream of streams) stream.destroy();
});

test.each([
  ['a proxy may have under way', { maxRequests: 2, maxPerIntegration: 100, maxStreams: 100 }],
  ['an integration may have under way', { maxRequests: 100, maxPerIntegration: 2, maxStreams: 100 }],
])('a tenant has at most half of the requests that %s', async (_where, occupancy) => {
  const system = await start({ occupancy });
  const [acme, umbrella] = [await agentOf(system, 'acme'), await agentOf(system, 'umbrella')];
  const waiting = acme.send('/proxy/demo/slow');
  await expect.poll(() => system.rest.requests.filter(({ url }) => url === '/slow')).toHaveLength(1);
  expect(refusal(await acme.send())).toEqual([429, 'rate_limited', '2']);
  expect((await umbrella.send()).status).toBe(200);
  system.rest.release();
  expect((await waiting).status).toBe(200);
});

test('an integration is not kept busy by WebSockets that are open', async () => {
  const upstream = createServer().on('upgrade', (_request, socket) => {
    socket.on('error', () => undefined);
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
  });
  await once(upstream.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void upstream.close());
  const { port } = upstream.address() as AddressInfo;
  const system = await start({
    occupancy: { maxRequests: 100, maxPerIntegration: 1, maxStreams: 100 },
    upstreams: { ws: `http://127.0.0.1:${port}` },
  });
  await system.connect('acme', 'ws');
  const { key } = await agentOf(system, 'acme', false);
  const head = ['GET /proxy/ws/ HTTP/1.1', 'Host: x', `Authorization: Bearer ${key}`];
  const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
  const lines = [...head, ...upgrade, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', '', ''];
  for (let i = 0; i < 3; i += 1) {
    const socket = connect(Number(new URL(system.url).port), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.write(lines.join('\r\n'));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toContain('HTTP/1.1 101 ');
  }
});

describe('reads of credentials', () => {
  test('of a tenant that has none are limited, and nobody else’s', async () => {
    const system = await start({ vaultReads: { perSecond: 0.1, burst: 5 } });
    const [nobody, somebody] = [await agentOf(system, 'nobody', false), await agentOf(system, 'acme')];
    const statuses = [];
    for (let i = 0; i < 5; i += 1) statuses.push((await nobody.send()).status);
    expect(statuses).toEqual([424, 424, 424, 424, 424]);
    expect(refusal(await nobody.send())).toEqual([429, 'rate_limited', '10']);
    expect((await somebody.send()).status).toBe(200);
    system.clock.offset += 10_000;
    expect((await nobody.send()).status).toBe(424);
  });

  test('that are too many are done without, where a credential is still usable', async () => {
    const system = await start({ vaultReads: { perSecond: 0.1, burst: 5 }, credentialCacheMs: 1 });
    const { send } = await agentOf(system, 'acme');
    const statuses = [];
    for (let i = 0; i < 10; i += 1) {
      statuses.push((await send()).status);
      system.clock.offset += 10;
    }
    expect(new Set(statuses)).toEqual(new Set([200]));
  });
});

describe('a proxy that cannot keep up', () => {
  async function saturated() {
    let tell: (lagMs: number, now: number) => void = () => undefined;
    const system = await start({
      sampleLag: (listener) => {
        tell = listener;
        return () => undefined;
      },
    });
    const agent = await agentOf(system, 'acme');
    let now = 0;
    const lag = (lagMs: number, seconds: number) => {
      const until = now + seconds * 1_000;
      for (; now < until; now += 50 + lagMs) tell(lagMs, now);
    };
    return { system, agent, lag };
  }

  test('turns away a share of the requests, and says when to come again', async () => {
    const { agent, lag } = await saturated();
    lag(400, 2.9);
    const answers = [];
    for (let i = 0; i < 10; i += 1) answers.push(await agent.send());
    const refused = answers.filter(({ status }) => status === 503);
    expect(refused).toHaveLength(4);
    expect(refused.map(refusal)).toEqual(Array.from({ length: 4 }, () => [503, 'overloaded', '2']));
  });

  test('goes on to tell how it is', async () => {
    const { system, lag } = await saturated();
    lag(400, 20);
    for (let i = 0; i < 10; i += 1) {
      expect((await call(system.url, '/healthz')).status).toBe(200);
      expect((await call(system.url, '/readyz')).status).toBe(200);
    }
    expect((await call(system.url, '/metrics')).text).toContain('connectors_proxy_shed_share 0.9');
  });

  test('serves everything again once it can', async () => {
    const { agent, lag } = await saturated();
    lag(400, 20);
    lag(0, 10);
    const answers = [];
    for (let i = 0; i < 10; i += 1) answers.push((await agent.send()).status);
    expect(new Set(answers)).toEqual(new Set([200]));
  });

  test('has no more requests under way than it may', async () => {
    const system = await start({ occupancy: { maxRequests: 1, maxPerIntegration: 10, maxStreams: 100 } });
    const agent = await agentOf(system, 'acme');
    const waiting = agent.send('/proxy/demo/slow');
    await expect.poll(() => system.rest.requests.filter(({ url }) => url === '/slow')).toHaveLength(1);
    expect(refusal(await agent.send())).toEqual([503, 'overloaded', '2']);
    system.rest.release();
    await waiting;
    await expect.poll(async () => (await agent.send()).status).toBe(200);
  });
});
