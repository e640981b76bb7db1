import { extractWWWAuthenticateParams } from '@modelcontextprotocol/sdk/client/auth.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from '../call.ts';
import { startSystem, type System } from '../start-system.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.close());

const metadataUrl = () => `${system.url}/.well-known/oauth-protected-resource/mcp/demo`;

test('a refused MCP client is told where to look up how to authenticate', async () => {
  const response = await fetch(`${system.url}/mcp/demo`, { method: 'POST' });
  expect(response.status).toBe(401);
  expect(extractWWWAuthenticateParams(response).resourceMetadataUrl?.href).toBe(metadataUrl());
  const metadata = await fetch(metadataUrl());
  expect(metadata.headers.get('cache-control')).toBe('no-store');
  expect(await metadata.json()).toEqual({
    resource: `${system.url}/mcp/demo`,
    bearer_methods_supported: ['header'],
  });
});

test('the metadata do not say which integrations there are', async () => {
  const { status, text } = await call(system.url, '/.well-known/oauth-protected-resource/mcp/unheard-of');
  expect([status, JSON.parse(text)]).toMatchObject([200, { resource: `${system.url}/mcp/unheard-of` }]);
});

test('REST has a challenge without it', async () => {
  const { headers } = await call(system.url, '/proxy/demo/a');
  expect(headers['www-authenticate']).toBe('Bearer realm="connectors"');
});

test.each(['evil.test/"', 'a b', 'user@evil.test'])(
  'a host that is none is not repeated: %s',
  async (host) => {
    const challenged = await call(system.url, '/mcp/demo', { headers: { host } });
    expect(challenged.headers['www-authenticate'] ?? 'none').not.toContain('resource_metadata');
    const path = '/.well-known/oauth-protected-resource/mcp/demo';
    expect((await call(system.url, path, { headers: { host } })).status).toBe(404);
  },
);

test('an id that is none has no metadata', async () => {
  const { status } = await call(system.url, '/.well-known/oauth-protected-resource/mcp/a.b');
  expect(status).toBe(404);
});

test('an operator’s own address goes before the name that a client uses', async () => {
  const proxyUrl = 'https://proxy.example.com';
  const behind = await startSystem({ proxyUrl });
  const { headers } = await call(behind.url, '/mcp/demo');
  expect(headers['www-authenticate']).toContain(
    `"${proxyUrl}/.well-known/oauth-protected-resource/mcp/demo"`,
  );
  const { text } = await call(behind.url, '/.well-known/oauth-protected-resource/mcp/demo');
  expect(JSON.parse(text)).toMatchObject({ resource: `${proxyUrl}/mcp/demo` });
  await behind.close();
});
