import { createHash } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { fingerprint } from '../../src/fingerprint.ts';
import { grant, refresh } from '../authorization-server/client.ts';
import { bearer, startRest } from './start-upstreams.ts';

test('tells who calls, with which token, and what it received', async () => {
  const { upstream, tokens } = await startRest();
  const response = await fetch(`${upstream.url}/a/b%2Fc?x=1&x=2&y=`, {
    method: 'PATCH',
    headers: { ...bearer(tokens.access_token), 'x-custom': 'yes' },
    body: '{"n": 12345678901234567890}',
  });
  expect(response.status).toBe(200);
  const answer = await response.json();
  expect(answer).toMatchObject({
    account: 'ann',
    tokenFingerprint: fingerprint(tokens.access_token),
    scopes: ['api:read'],
    method: 'PATCH',
    path: '/a/b%2Fc',
    query: { x: ['1', '2'], y: '' },
    headers: { 'x-custom': 'yes' },
    body: { bytes: 27, text: '{"n": 12345678901234567890}' },
  });
  expect(JSON.stringify(answer)).not.toContain(tokens.access_token);
});

test('sums up a large body', async () => {
  const { upstream, tokens } = await startRest();
  const body = Buffer.alloc(3_000_000, 'connectors');
  const response = await fetch(upstream.url, { method: 'POST', headers: bearer(tokens.access_token), body });
  const sha256 = createHash('sha256').update(body).digest('hex');
  expect(await response.json()).toMatchObject({ body: { bytes: 3_000_000, sha256 } });
});

test('challenges a request without a token, with an unknown token, and with a refresh token', async () => {
  const { upstream, tokens } = await startRest();
  for (const headers of [
    {},
    bearer('unknown'),
    bearer(tokens.refresh_token),
    { authorization: 'Basic eDp5' },
  ]) {
    const response = await fetch(upstream.url, { headers });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
  }
});

test('refuses an expired token', async () => {
  const { upstream, tokens } = await startRest({ accessTokenTtl: 1 });
  await vi.waitFor(async () => expect(await statusWith(upstream.url, tokens.access_token)).toBe(401), 10_000);
});

test('refuses a revoked token within a second or so, and accepts the refreshed one', async () => {
  const { upstream, authorizationServer, tokens } = await startRest();
  expect(await statusWith(upstream.url, tokens.access_token)).toBe(200);
  await authorizationServer.revokeAccessToken(tokens.access_token);
  await vi.waitFor(async () => expect(await statusWith(upstream.url, tokens.access_token)).toBe(401), 10_000);
  const renewed = (await (await refresh(authorizationServer, tokens.refresh_token)).json()) as {
    access_token: string;
  };
  expect(await statusWith(upstream.url, renewed.access_token)).toBe(200);
});

test('fails by itself when the authorization server is gone, without blaming the token', async () => {
  const { upstream, authorizationServer, tokens } = await startRest();
  await authorizationServer.close();
  expect(await statusWith(upstream.url, tokens.access_token)).toBe(500);
});

test('counts the tokens it saw and writes down every request', async () => {
  const { upstream, authorizationServer, tokens } = await startRest();
  const other = await grant(authorizationServer, { login: 'ben' });
  for (const token of [tokens.access_token, tokens.access_token, other.access_token]) {
    await statusWith(`${upstream.url}/x?y=1`, token);
  }
  expect([...upstream.tokensSeen.values()]).toEqual([2, 1]);
  await vi.waitFor(
    () =>
      expect(upstream.requests[2]).toMatchObject({
        method: 'GET',
        url: '/x?y=1',
        tokenFingerprint: fingerprint(other.access_token),
        status: 200,
        aborted: false,
      }),
    10_000,
  );
});

test('answers with the status and headers it is asked for', async () => {
  const { upstream, tokens } = await startRest();
  const response = await fetch(`${upstream.url}/status/429?Retry-After=3`, {
    headers: bearer(tokens.access_token),
  });
  expect(response.status).toBe(429);
  expect(response.headers.get('retry-after')).toBe('3');
});

test('streams server-sent events one by one', async () => {
  const { upstream, tokens } = await startRest();
  const response = await fetch(`${upstream.url}/events?n=3&interval=50`, {
    headers: bearer(tokens.access_token),
  });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const chunks: string[] = [];
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) chunks.push(chunk);
  expect(chunks).toEqual([1, 2, 3].map((n) => `id: ${n}\nevent: tick\ndata: {"n":${n}}\n\n`));
});

test('notices that a caller goes away in the middle of a stream', async () => {
  const { upstream, tokens } = await startRest();
  const caller = new AbortController();
  const response = await fetch(`${upstream.url}/events?n=100&interval=20`, {
    headers: bearer(tokens.access_token),
    signal: caller.signal,
  });
  await response.body!.getReader().read();
  caller.abort();
  await vi.waitFor(() => expect(upstream.requests[0]).toMatchObject({ status: 200, aborted: true }), 10_000);
});

test('streams as many deterministic bytes as asked for', async () => {
  const { upstream, tokens } = await startRest();
  const response = await fetch(`${upstream.url}/bytes/200000`, { headers: bearer(tokens.access_token) });
  expect(response.headers.get('content-length')).toBe('200000');
  const received = new Uint8Array(await response.arrayBuffer());
  expect(received).toEqual(Uint8Array.from({ length: 200_000 }, (_value, index) => index % 251));
});

test('holds a slow request until it is released, or for the time it is told', async () => {
  const { upstream, tokens } = await startRest();
  const headers = bearer(tokens.access_token);
  const held = fetch(`${upstream.url}/slow`, { headers });
  await vi.waitFor(async () => {
    upstream.release();
    expect(await Promise.race([held, Promise.resolve('held')])).toMatchObject({ status: 200 });
  }, 10_000);
  expect((await fetch(`${upstream.url}/slow?ms=10`, { headers })).status).toBe(200);
});

test('redirects and sets cookies', async () => {
  const { upstream, tokens } = await startRest();
  const init: RequestInit = { headers: bearer(tokens.access_token), redirect: 'manual' };
  const redirected = await fetch(`${upstream.url}/redirect?to=/elsewhere`, init);
  expect([redirected.status, redirected.headers.get('location')]).toEqual([302, '/elsewhere']);
  const cookie = await fetch(`${upstream.url}/set-cookie`, init);
  expect(cookie.headers.get('set-cookie')).toBe('upstream=1; Path=/; HttpOnly');
});

async function statusWith(url: string, token: string): Promise<number> {
  const response = await fetch(url, { headers: bearer(token) });
  await response.body?.cancel();
  return response.status;
}
