import type { IncomingMessage } from 'node:http';
import { EgressGuard } from '@connectors/egress';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bearer, call, problemOf } from './call.ts';
import { startSystem, type System } from './start-system.ts';
import { startUpstream } from './start-upstream.ts';

let system: System;
let upstream: Awaited<ReturnType<typeof startUpstream>>;
/** What the upstream received. */
let received: { url: string | undefined; headers: IncomingMessage['headers'] }[];
const hosts = ['one.api.example', 'two.api.example'] as const;
let key: string;
let fromQuery: string;

beforeAll(async () => {
  upstream = await startUpstream();
  const { url } = upstream;
  const { port } = new URL(url);
  system = await startSystem({
    // All names lead to the one upstream, which sees by `Host` where a request was meant to go.
    guard: new EgressGuard({
      allow: ['127.0.0.1', ...hosts, 'evil.example'],
      resolve: (_host, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
    }),
    entries: {
      'by-query': { upstream: { rest: `${url}/v1?v=2` }, injection: { query: 'access_token' } },
      'by-basic': { upstream: { rest: url }, injection: { basic: '{token}:x' } },
      'own-host': {
        fields: { host: { pattern: '[a-z.]+' } },
        apiHost: `(one|two)\\.api\\.example:${port}`,
        upstream: { rest: `http://{host}:${port}/api` },
        injection: { headers: { 'X-Host': '{host}', 'X-Client': '{clientId}' } },
      },
      'own-path': { fields: { org: { pattern: '[a-z/.]+' } }, upstream: { rest: `${url}/org/{org}` } },
    },
  });
  ({ accessToken: fromQuery } = await system.connect('acme', 'by-query'));
  ({ key } = await system.createAgent({ tenants: ['acme'] }));
});
beforeEach(() => {
  received = [];
  upstream.handle = ({ url, headers }, response) => {
    received.push({ url, headers });
    response.end();
  };
});
afterAll(async () => {
  await system.close();
  await upstream.close();
});

const get = (path: string, agentKey = key) => call(system.url, path, { headers: bearer(agentKey) });

test('a token goes into the query, in place of what the agent put there, and its key goes nowhere', async () => {
  await get('/proxy/by-query/a?b=%2f&access%5Ftoken=mine&v=3');
  expect(received).toMatchObject([{ url: `/v1/a?v=2&b=%2f&v=3&access_token=${fromQuery}` }]);
  expect(received[0]?.headers.authorization).toBeUndefined();
});

test('a token from the query is in no log line', () => {
  expect(system.lines.join('\n')).not.toContain(fromQuery);
  expect(system.lines.join('\n')).not.toContain('access_token');
});

test('a token from the query is redacted in what names the next address', async () => {
  const encoded = fromQuery.replace(/./gs, (character) => `%${character.charCodeAt(0).toString(16)}`);
  upstream.handle = (_request, response) =>
    response
      .writeHead(302, {
        location: `https://b.example/?access_token=${fromQuery}`,
        link: `<https://a.example/?access_token=${encoded}>; rel=next`,
        'content-location': `/a?access_token=${fromQuery}`,
        refresh: `0; url=/a?access_token=${fromQuery}`,
      })
      .end();
  const { headers } = await get('/proxy/by-query/');
  expect(headers).toMatchObject({
    location: 'https://b.example/?access_token=[redacted]',
    link: '<https://a.example/?access_token=[redacted]>; rel=next',
    'content-location': '/a?access_token=[redacted]',
    refresh: '0; url=/a?access_token=[redacted]',
  });
});

test('a token goes where Basic has its user', async () => {
  const { accessToken } = await system.connect('acme', 'by-basic');
  await get('/proxy/by-basic/');
  const basic = Buffer.from(`${accessToken}:x`).toString('base64');
  expect(received[0]?.headers.authorization).toBe(`Basic ${basic}`);
});

describe('where a credential has an address of its own', () => {
  /** Where the tenant's next request arrives. */
  async function arrival(agentKey: string) {
    await get('/proxy/own-host/a?b', agentKey);
    return received.at(-1);
  }

  test.each(hosts)('each tenant’s requests go to its own, with its own headers: %s', async (host) => {
    const tenant = host.replaceAll('.', '-');
    await system.connect(tenant, 'own-host', { host });
    const agent = await system.createAgent({ tenants: [tenant] });
    const { port } = new URL(upstream.url);
    expect(await arrival(agent.key)).toMatchObject({
      url: '/api/a?b',
      headers: { host: `${host}:${port}`, 'x-host': host, 'x-client': 'connectors' },
    });
  });

  test('another credential of the tenant moves its requests', async () => {
    const agent = await system.createAgent({ tenants: ['moving'] });
    for (const host of hosts) {
      const { stored } = await system.connect('moving', 'own-host', { host });
      const { revision } = stored.metadata;
      const id = { tenantId: 'moving', integration: 'own-host' };
      await system.publish({ type: 'credential-stored', ...id, revision });
      await expect.poll(async () => (await arrival(agent.key))?.headers['x-host']).toBe(host);
    }
  });

  test.each([
    ['foreign', 'that is none of the provider’s', { host: 'evil.example' }],
    ['broken', 'that breaks the field’s rule', { host: 'one.api.example@evil.example' }],
    ['missing', 'that is missing', undefined],
    ['unfit', 'whose field for the path breaks its rule', { org: 'ORG' }],
  ])('a %s one, %s, is refused before anything is sent', async (tenant, _what, fields) => {
    const integration = tenant === 'unfit' ? 'own-path' : 'own-host';
    await system.connect(tenant, integration, fields);
    const agent = await system.createAgent({ tenants: [tenant] });
    const answer = await get(`/proxy/${integration}/`, agent.key);
    expect([answer.status, problemOf(answer).code]).toEqual([500, 'internal_error']);
    expect(answer.text).not.toContain('evil');
    expect(received).toEqual([]);
  });

  test('its fields cannot climb out of the provider’s path', async () => {
    await system.connect('climber', 'own-path', { org: 'a/../../b' });
    const agent = await system.createAgent({ tenants: ['climber'] });
    await get('/proxy/own-path/c', agent.key);
    expect(received).toMatchObject([{ url: '/org/a%2F..%2F..%2Fb/c' }]);
  });
});
