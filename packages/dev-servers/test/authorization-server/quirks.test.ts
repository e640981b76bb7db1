import { describe, expect, test } from 'vitest';
import type { Quirks } from '../../src/authorization-server/quirks.ts';
import { basic, grant, isActive, refresh, startServer } from './client.ts';

async function granted(quirks: Quirks) {
  const server = await startServer({ quirks });
  return { server, tokens: await grant(server) };
}

async function bodyOf(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()) as Record<string, unknown>;
}

describe('a server with quirks', () => {
  test('says what is wrong with a request that is not as it wants it', async () => {
    const { server, tokens } = await granted({ request: { headers: {} } });
    const response = await refresh(server, tokens.refresh_token, { body: 'refresh_token=x' });
    expect(response.status).toBe(400);
    expect(await bodyOf(response)).toMatchObject({
      error: 'invalid_request',
      error_description: expect.any(String),
    });
  });

  test('still refuses a client whose secret is wrong', async () => {
    const { server, tokens } = await granted({ response: { scope: 'comma' } });
    const authorization = basic({ clientId: 'connectors', clientSecret: 'wrong' });
    expect((await refresh(server, tokens.refresh_token, { headers: { authorization } })).status).toBe(401);
  });

  test('logs the request as it is by the book, once', async () => {
    const { server, tokens } = await granted({ response: { nestedIn: 'user' } });
    const response = await refresh(server, tokens.refresh_token ?? 'nested');
    expect(server.tokenRequests).toHaveLength(2);
    expect(server.tokenRequests[1]).toMatchObject({ grantType: 'refresh_token', status: response.status });
  });

  test('meets its faults, a cut and a Retry-After among them', async () => {
    const { server, tokens } = await granted({ rotation: 'stays' });
    server.faults.next({ kind: 'status', status: 429, headers: { 'retry-after': '9' }, body: {} });
    server.faults.next({ kind: 'cut' });
    const limited = await refresh(server, tokens.refresh_token);
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '9']);
    await expect(refresh(server, tokens.refresh_token)).rejects.toThrow('fetch failed');
    expect((await refresh(server, tokens.refresh_token)).status).toBe(200);
  });

  test('lets a refresh token stay for good', async () => {
    const { server, tokens } = await granted({ rotation: 'stays' });
    for (const _ of [1, 2, 3]) {
      expect(await bodyOf(await refresh(server, tokens.refresh_token))).toMatchObject({
        refresh_token: tokens.refresh_token,
      });
    }
  });

  test('lets both of two refresh tokens live', async () => {
    const { server, tokens } = await granted({ rotation: 'overlaps' });
    const second = await bodyOf(await refresh(server, tokens.refresh_token));
    const third = await bodyOf(await refresh(server, tokens.refresh_token));
    const all = [tokens.refresh_token, String(second['refresh_token']), String(third['refresh_token'])];
    expect(new Set(all).size).toBe(3);
    for (const token of all) expect((await refresh(server, token)).status).toBe(200);
  });

  test('ends a grant when a refresh token is used twice, unless it has a quirk for that', async () => {
    const { server, tokens } = await granted({ response: { expiry: 'iso' } });
    const second = await bodyOf(await refresh(server, tokens.refresh_token));
    expect(await bodyOf(await refresh(server, tokens.refresh_token))).toMatchObject({
      error: 'invalid_grant',
    });
    expect(await isActive(server, String(second['access_token']))).toBe(false);
  });
});
