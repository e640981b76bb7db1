import { fingerprint, grantAs, startAuthorizationServer } from '@connectors/dev-servers';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Ledger } from '../../chaos/ledger.ts';
import { Random } from '../../chaos/random.ts';
import { TokenEndpoint } from '../../chaos/token-endpoint.ts';

type Server = Awaited<ReturnType<typeof startAuthorizationServer>>;

let server: Server;
let ledger: Ledger;
let endpoint: TokenEndpoint;
let refreshToken: string;

beforeAll(async () => {
  server = await startAuthorizationServer();
  endpoint = new TokenEndpoint({
    get ledger() {
      return ledger;
    },
    random: new Random(1),
    target: () => server.tokenEndpoint,
  });
  await endpoint.listen();
});

afterAll(async () => {
  await endpoint.close();
  await server.close();
});

beforeEach(async () => {
  ledger = new Ledger(15_000);
  endpoint.mode = undefined;
  endpoint.clockAheadMs = 0;
  const { clientId, clientSecret } = client();
  const granted = await grantAs(server, {
    clientId,
    clientSecret,
    redirectUri: 'http://127.0.0.1/callback',
    scopes: ['openid', 'offline_access'],
    login: 'tenant-1',
  });
  refreshToken = granted.refresh_token;
  ledger.enroll('tenant-1', refreshToken, 0);
});

function client() {
  const [first] = server.clients;
  if (first === undefined) throw new Error('there is no client');
  return first;
}

function refresh(worker = 'worker-1', token = refreshToken): Promise<Response> {
  const { clientId, clientSecret } = client();
  return fetch(endpoint.newUrlFor(worker), {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }),
  });
}

function newest(): string | undefined {
  return [...ledger.grants][0]?.newest;
}

describe('the token endpoint of chaos', () => {
  it('lets the authorization server decide, and writes down who asked and what was issued', async () => {
    const answer = (await (await refresh('worker-2')).json()) as { refresh_token: string };
    const [call] = ledger.calls;
    expect(call).toMatchObject({
      worker: 'worker-2.1',
      token: fingerprint(refreshToken),
      status: 200,
      issued: fingerprint(answer.refresh_token),
    });
    await expect.poll(() => call?.answeredAt).toBeGreaterThan(call?.at ?? Infinity);
    expect(newest()).toBe(fingerprint(answer.refresh_token));
  });

  it('writes down that a token was spent twice', async () => {
    await refresh();
    expect((await refresh('worker-2')).status).toBe(400);
    expect(ledger.respends).toMatchObject([{ worker: 'worker-2.2', status: 400 }]);
  });

  it('can be out of order: then nothing is spent', async () => {
    endpoint.mode = { kind: 'provider-503' };
    expect((await refresh()).status).toBe(503);
    expect(newest()).toBe(fingerprint(refreshToken));
    endpoint.mode = undefined;
    expect((await refresh()).status).toBe(200);
  });

  it('can ask to wait, in seconds or by its own clock', async () => {
    endpoint.mode = { kind: 'provider-429', retryAfterSeconds: 2, isDate: false };
    const inSeconds = await refresh();
    expect([inSeconds.status, inSeconds.headers.get('retry-after')]).toEqual([429, '2']);
    endpoint.clockAheadMs = 600_000;
    endpoint.mode = { kind: 'provider-429', retryAfterSeconds: 2, isDate: true };
    const { headers } = await refresh();
    const waitMs = Date.parse(headers.get('retry-after') ?? '') - Date.parse(headers.get('date') ?? '');
    expect(waitMs).toBeGreaterThanOrEqual(1_000);
    expect(waitMs).toBeLessThanOrEqual(3_000);
    expect(endpoint.throttledUntil).toBeGreaterThan(Date.now());
  });

  it('can hang, and then drops what hung without having looked at it', async () => {
    endpoint.mode = { kind: 'provider-hang' };
    const hanging = refresh();
    await vi.waitFor(() => expect(ledger.calls).toHaveLength(1));
    endpoint.dropHanging();
    await expect(hanging).rejects.toThrow('fetch failed');
    expect(newest()).toBe(fingerprint(refreshToken));
  });

  it('can cut responses off after the token was rotated, so many and no more', async () => {
    endpoint.mode = { kind: 'response-cut', left: 1 };
    await expect(refresh()).rejects.toThrow('fetch failed');
    const [call] = ledger.calls;
    expect(call).toMatchObject({ fault: 'response-cut', status: 200 });
    expect(call?.answeredAt).toBeUndefined();
    expect(newest()).toBe(call?.issued);
    expect((await refresh()).status).toBe(400);
  });

  it('names the end of a token by its own clock while that is wrong', async () => {
    endpoint.clockAheadMs = -600_000;
    const response = await refresh();
    const { expires_at: expiresAt, expires_in: lifetime } = (await response.json()) as Record<string, number>;
    expect(lifetime).toBeUndefined();
    const lifeMs = (expiresAt ?? 0) * 1000 - Date.parse(response.headers.get('date') ?? '');
    expect(Math.abs(lifeMs - 60_000)).toBeLessThanOrEqual(2_000);
  });

  it('writes down when a worker went away without the answer', async () => {
    const leaving = new AbortController();
    const { clientId, clientSecret } = client();
    endpoint.mode = { kind: 'provider-hang' };
    const asking = fetch(endpoint.newUrlFor('worker-1'), {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
      body: new URLSearchParams({ refresh_token: refreshToken }),
      signal: leaving.signal,
    });
    await vi.waitFor(() => expect(ledger.calls).toHaveLength(1));
    leaving.abort();
    await expect(asking).rejects.toThrow('aborted');
    await expect.poll(() => ledger.calls[0]?.closedAt).toBeGreaterThan(0);
  });
});
