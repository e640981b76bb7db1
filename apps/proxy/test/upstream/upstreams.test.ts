import { EgressGuard } from '@connectors/egress';
import { loadIntegrations, requestTarget } from '@connectors/oauth';
import { Secret } from '@connectors/vault-core';
import { expect, test } from 'vitest';
import { prepareUpstreams } from '../../src/upstream/upstreams.ts';

const credential = {
  accessToken: new Secret('token'),
  fields: {},
  revision: 'one',
  expiresAt: Infinity,
  marginMs: 0,
  isRefreshable: false,
};

function prepare(rest: string, mcp?: string) {
  const entry = {
    provider: 'github',
    clientId: 'a',
    upstream: { rest, ...(mcp === undefined ? {} : { mcp }) },
  };
  const { integrations } = loadIntegrations({
    yaml: JSON.stringify({ integrations: { demo: entry } }),
    env: {},
  });
  return prepareUpstreams(integrations, new EgressGuard());
}

function pathBelow(base: string, path: string, query = ''): string {
  const upstream = prepare(base).upstreams.get('demo');
  const use = upstream?.use({ tenantId: 'acme', integration: 'demo' }, credential);
  if (use?.addresses.rest === undefined) throw new Error('refused');
  return requestTarget(use.addresses.rest, path, query, use.injection);
}

test('appends the path to the base path', () => {
  expect(pathBelow('https://api.example', '/a/b')).toBe('/a/b');
  expect(pathBelow('https://api.example/v3/', '/a/b')).toBe('/v3/a/b');
});

test('asks for the base path itself where no path is given', () => {
  expect(pathBelow('https://api.example', '')).toBe('/');
  expect(pathBelow('https://api.example/v3/mcp', '')).toBe('/v3/mcp');
  expect(pathBelow('https://api.example/v3', '/')).toBe('/v3/');
});

test('passes the query as it is, behind a configured one', () => {
  expect(pathBelow('https://api.example', '/a', '?')).toBe('/a?');
  expect(pathBelow('https://api.example', '/a', '?b=%2f&b')).toBe('/a?b=%2f&b');
  expect(pathBelow('https://api.example?key=1', '/a', '?b=2')).toBe('/a?key=1&b=2');
  expect(pathBelow('https://api.example?key=1', '/a')).toBe('/a?key=1');
});

test('reports every upstream that the egress guard refuses', () => {
  expect(prepare('http://api.example', 'https://10.0.0.1/mcp').problems).toEqual([
    'integrations.demo.upstream.rest: Outgoing connection refused: not_https (api.example)',
    'integrations.demo.upstream.mcp: Outgoing connection refused: address_not_public (10.0.0.1)',
  ]);
});
