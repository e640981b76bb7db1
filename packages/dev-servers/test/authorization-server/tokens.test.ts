import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { authorizeAs, type TokenResponse } from '../../src/authorization-server/grant-as.ts';
import { startAuthorizationServer } from '../../src/authorization-server/start-authorization-server.ts';
import { fingerprint } from '../../src/fingerprint.ts';
import { basic, grant, isActive, refresh, startServer } from './client.ts';

test('a person who logs in and consents gets an opaque access token, a refresh token and what was granted', async () => {
  const server = await startServer({ accessTokenTtl: 30 });
  const tokens = await grant(server, { scopes: ['openid', 'offline_access', 'api:read', 'api:write'] });
  expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 30 });
  expect(tokens.scope).toBe('openid api:read api:write');
  expect(tokens.access_token).not.toContain('.');
  expect(tokens.refresh_token).not.toBe('');
  expect(tokens.id_token).toBeTypeOf('string');
});

test('a refresh rotates both tokens', async () => {
  const server = await startServer();
  const first = await grant(server);
  const second = await tokensOf(await refresh(server, first.refresh_token));
  expect(second.access_token).not.toBe(first.access_token);
  expect(second.refresh_token).not.toBe(first.refresh_token);
  expect((await refresh(server, second.refresh_token)).status).toBe(200);
});

test('a refresh token that is used again is refused and ends the whole grant', async () => {
  const server = await startServer();
  const first = await grant(server);
  const second = await tokensOf(await refresh(server, first.refresh_token));
  const again = await refresh(server, first.refresh_token);
  expect(again.status).toBe(400);
  expect(await again.json()).toMatchObject({ error: 'invalid_grant' });
  expect((await refresh(server, second.refresh_token)).status).toBe(400);
  expect(await isActive(server, second.access_token)).toBe(false);
});

test('of concurrent refreshes with one token at most one succeeds, and the grant ends', async () => {
  const server = await startServer();
  for (let round = 0; round < 10; round++) {
    const { refresh_token: token } = await grant(server);
    const responses = await Promise.all([1, 2, 3, 4].map(() => refresh(server, token)));
    const accepted = responses.filter((response) => response.ok);
    expect(accepted.length).toBeLessThanOrEqual(1);
    for (const response of accepted) {
      const winner = await tokensOf(response);
      expect(await isActive(server, winner.access_token)).toBe(false);
      expect((await refresh(server, winner.refresh_token)).status).toBe(400);
    }
  }
});

test('a client that acts for itself gets an access token that lives as long as others, and no refresh token', async () => {
  const acting = { clientId: 'acting', clientSecret: 'its-secret', redirectUris: [], actsForItself: true };
  const server = await startServer({ clients: [acting], accessTokenTtl: 30 });
  const response = await fetch(server.tokenEndpoint, {
    method: 'POST',
    headers: { authorization: basic(acting) },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'api:read' }),
  });
  const tokens = await tokensOf(response);
  expect(tokens).toMatchObject({ expires_in: 30, scope: 'api:read' });
  expect(tokens.refresh_token).toBeUndefined();
  await server.revokeAccessToken(tokens.access_token);
  expect(await isActive(server, tokens.access_token)).toBe(false);
});

test('a grant of another login is untouched by a re-use', async () => {
  const server = await startServer();
  const [ann, ben] = [await grant(server, { login: 'ann' }), await grant(server, { login: 'ben' })];
  await refresh(server, ann.refresh_token);
  await refresh(server, ann.refresh_token);
  expect((await refresh(server, ben.refresh_token)).status).toBe(200);
});

test('accepts a client by client_secret_post when it is registered so', async () => {
  const redirectUris = ['http://127.0.0.1/callback'];
  const server = await startServer({
    clients: [
      { clientId: 'poster', clientSecret: 'a secret', redirectUris, authMethod: 'client_secret_post' },
    ],
  });
  const tokens = await grant(server);
  const form = { client_id: 'poster', client_secret: 'a secret', refresh_token: tokens.refresh_token };
  const body = new URLSearchParams({ grant_type: 'refresh_token', ...form });
  expect((await refresh(server, '', { headers: {}, body })).status).toBe(200);
});

test('refuses a wrong client secret without touching the grant', async () => {
  const server = await startServer();
  const tokens = await grant(server);
  const authorization = basic({ clientId: 'connectors', clientSecret: 'wrong' });
  const refused = await refresh(server, tokens.refresh_token, { headers: { authorization } });
  expect(refused.status).toBe(401);
  expect(await refused.json()).toMatchObject({ error: 'invalid_client' });
  expect((await refresh(server, tokens.refresh_token)).status).toBe(200);
});

test('refuses a code without its PKCE verifier', async () => {
  const server = await startServer();
  const redirectUri = 'http://127.0.0.1/callback';
  const request = { clientId: 'connectors', redirectUri, scopes: ['api:read'], login: 'ann' };
  const { code } = await authorizeAs(server, request);
  const body = new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: redirectUri });
  expect((await refresh(server, '', { body })).status).toBe(400);
});

test('refuses an authorization request without PKCE', async () => {
  const server = await startServer();
  const url = new URL(server.authorizationEndpoint);
  url.search =
    'client_id=connectors&response_type=code&scope=api:read&redirect_uri=http://127.0.0.1/callback';
  const response = await fetch(url, { redirect: 'manual' });
  expect(response.headers.get('location')).toContain('error=invalid_request');
});

test('access tokens expire', async () => {
  const server = await startServer({ accessTokenTtl: 1 });
  const { access_token: token } = await grant(server);
  expect(await isActive(server, token)).toBe(true);
  await vi.waitFor(async () => expect(await isActive(server, token)).toBe(false), 10_000);
});

test('the lifetime of access tokens can change while it runs', async () => {
  const server = await startServer();
  server.setAccessTokenTtl(5);
  expect(await grant(server)).toMatchObject({ expires_in: 5 });
});

test('one access token can be revoked and leaves its refresh token alive', async () => {
  const server = await startServer();
  const tokens = await grant(server);
  await server.revokeAccessToken(tokens.access_token);
  expect(await isActive(server, tokens.access_token)).toBe(false);
  expect((await refresh(server, tokens.refresh_token)).status).toBe(200);
});

test('a grant can be revoked by its access token or its refresh token', async () => {
  const server = await startServer();
  for (const kind of ['access_token', 'refresh_token'] as const) {
    const tokens = await grant(server);
    await server.revokeGrant(tokens[kind]);
    expect(await isActive(server, tokens.access_token)).toBe(false);
    expect((await refresh(server, tokens.refresh_token)).status).toBe(400);
  }
});

test('a client revokes its own refresh token, and the grant with it, at the revocation endpoint', async () => {
  const server = await startServer();
  const tokens = await grant(server);
  const response = await fetch(server.revocationEndpoint, {
    method: 'POST',
    headers: { authorization: basic(server.clients[0]!) },
    body: new URLSearchParams({ token: tokens.refresh_token }),
  });
  expect(response.status).toBe(200);
  expect(await isActive(server, tokens.access_token)).toBe(false);
  expect((await refresh(server, tokens.refresh_token)).status).toBe(400);
});

test('writes down every token request', async () => {
  const server = await startServer();
  const tokens = await grant(server);
  await refresh(server, tokens.refresh_token);
  await refresh(server, 'unknown');
  const [exchange, good, bad] = server.tokenRequests;
  expect(server.tokenRequests).toHaveLength(3);
  expect(exchange).toMatchObject({ clientId: 'connectors', grantType: 'authorization_code', status: 200 });
  expect(good).toMatchObject({
    clientId: 'connectors',
    grantType: 'refresh_token',
    refreshTokenFingerprint: fingerprint(tokens.refresh_token),
    status: 200,
  });
  expect(bad).toMatchObject({ grantType: 'refresh_token', status: 400 });
});

test('keeps grants over a restart when it has a data file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'authorization-server-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const options = {
    dataFile: join(folder, 'state.sqlite'),
    clients: [{ clientId: 'c', clientSecret: 's', redirectUris: ['http://127.0.0.1/callback'] }],
  };
  const before = await startAuthorizationServer(options);
  const kept = await grant(before);
  const spent = await grant(before);
  await refresh(before, spent.refresh_token);
  const keys = await (await fetch(`${before.url}/jwks`)).json();
  await before.close();

  const after = await startServer(options);
  expect(await isActive(after, kept.access_token)).toBe(true);
  expect((await refresh(after, kept.refresh_token)).status).toBe(200);
  expect((await refresh(after, spent.refresh_token)).status).toBe(400);
  expect(await (await fetch(`${after.url}/jwks`)).json()).toEqual(keys);
});

test('says which port is taken', async () => {
  const server = await startServer();
  const port = Number(new URL(server.url).port);
  await expect(startAuthorizationServer({ port })).rejects.toThrow(
    `Port ${port} is taken, so the authorization`,
  );
});

async function tokensOf(response: Response): Promise<TokenResponse> {
  expect(response.status).toBe(200);
  return (await response.json()) as TokenResponse;
}
