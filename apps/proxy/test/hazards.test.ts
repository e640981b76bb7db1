import { fingerprint } from '@connectors/dev-servers';
import type { CredentialId } from '@connectors/vault-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bearer, call, echoOf, problemOf, type Call } from './call.ts';
import { startSystem, type System } from './start-system.ts';
import { startUpstream } from './start-upstream.ts';
import { startWorker, type Worker } from './start-worker.ts';

const cooldownMs = 60_000;

let system: System;
let bare: Awaited<ReturnType<typeof startUpstream>>;
let worker: Worker;
/** What the upstream that refuses every token was asked. */
let refusals: number;

beforeAll(async () => {
  bare = await startUpstream();
  bare.handle = (_request, response) => {
    refusals += 1;
    response.writeHead(401, { 'www-authenticate': 'Bearer' }).end('no');
  };
  // Longer than any test may take: what is waited for must come by event.
  system = await startSystem({
    upstreams: { bare: bare.url },
    refreshWaitMs: 60_000,
    refreshCooldownMs: cooldownMs,
  });
  worker = await startWorker(system, { cooldownMs });
});
afterAll(async () => {
  await worker.close();
  await system.close();
  await bare.close();
});

/** A tenant that connected a cooldown ago, and its agent. */
async function connected(tenantId: string, integration = 'demo') {
  const { accessToken } = await system.connect(tenantId, integration);
  const { key } = await system.createAgent({ tenants: [tenantId] });
  system.clock.offset += cooldownMs;
  refusals = 0;
  system.authorizationServer.tokenRequests.length = 0;
  const id = { tenantId, integration };
  return {
    id,
    accessToken,
    send: (path = '/a', options: Omit<Call, 'headers'> = {}) =>
      call(system.url, `/proxy/${integration}${path}`, { ...options, headers: bearer(key) }),
    stored: () => system.admin.credentials.get(id).then(({ credential }) => credential),
  };
}

/** Ends an access token alone, long before it expires. */
async function revoke(accessToken: string): Promise<void> {
  await system.authorizationServer.revokeAccessToken(accessToken);
  // The upstream may believe in a token for a second longer.
  const atUpstream = () => call(system.rest.url, '/', { headers: bearer(accessToken) });
  await expect.poll(async () => (await atUpstream()).status, { timeout: 5_000 }).toBe(401);
}

function tokenRequests(): number {
  return system.authorizationServer.tokenRequests.filter(({ grantType }) => grantType === 'refresh_token')
    .length;
}

function requestsFor({ tenantId }: CredentialId) {
  return worker.requests().filter((request) => request.tenantId === tenantId);
}

describe('a token that was revoked early is served until the clock says so', () => {
  test('it is refreshed on the upstream’s 401, and the request is replayed', async () => {
    const { accessToken, send, stored } = await connected('revoked');
    await send();
    await revoke(accessToken);
    const echo = echoOf(await send('/a?b=1', { method: 'POST', body: 'body' }));
    expect(echo.tokenFingerprint).not.toBe(fingerprint(accessToken));
    expect([echo.method, echo.body.text]).toEqual(['POST', 'body']);
    expect(echoOf(await send()).tokenFingerprint).toBe(echo.tokenFingerprint);
    expect([tokenRequests(), (await stored()).metadata.refreshCount]).toEqual([1, 1]);
  });

  test('a newer one that is stored already is just used', async () => {
    const { id, accessToken, send } = await connected('newer');
    await send();
    await revoke(accessToken);
    // Nobody announces it: the proxy has to look.
    const reconnected = await system.connect(id.tenantId);
    expect(echoOf(await send()).tokenFingerprint).toBe(fingerprint(reconnected.accessToken));
    expect(requestsFor(id)).toEqual([]);
  });

  test('many requests that meet it are one request to the workers, and one token request', async () => {
    const { id, accessToken, send } = await connected('many');
    await send();
    await revoke(accessToken);
    const put = () => send('/a', { method: 'PUT', body: 'x' });
    const answers = await Promise.all(Array.from({ length: 50 }, put));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect([requestsFor(id).length, tokenRequests()]).toEqual([1, 1]);
  });
});

describe('the refresh succeeds, the upstream still says 401, and token requests follow in a storm', () => {
  test('two hundred requests, at once and one after the other, are one token request', async () => {
    const { send } = await connected('storm', 'bare');
    const first = await Promise.all(Array.from({ length: 100 }, () => send()));
    const statuses = new Set(first.map(({ status }) => status));
    for (let more = 0; more < 100; more += 1) statuses.add((await send()).status);
    expect(statuses).toEqual(new Set([502]));
    expect(tokenRequests()).toBe(1);
    // Each request goes there once, and once more with the new token.
    expect(refusals).toBeLessThanOrEqual(400);
  });

  test('each request is replayed once at most, and told that the fresh token was refused as well', async () => {
    const { send } = await connected('stubborn', 'bare');
    const answer = await send();
    expect([answer.status, problemOf(answer).code]).toEqual([502, 'upstream_rejected_credential']);
    expect([answer.headers['www-authenticate'], answer.text.includes('no')]).toEqual([undefined, false]);
    expect([refusals, tokenRequests()]).toEqual([2, 1]);
  });

  test('after the cooldown another refresh is tried', async () => {
    const { id, send } = await connected('cooling', 'bare');
    await send();
    system.clock.offset += cooldownMs / 2;
    await send();
    expect([tokenRequests(), requestsFor(id).length]).toEqual([1, 1]);
    system.clock.offset += cooldownMs / 2;
    await send();
    expect(tokenRequests()).toBe(2);
  });

  test('a proxy that does not keep to the cooldown is held to it by the workers', async () => {
    const { id, send, stored } = await connected('impatient', 'bare');
    await send();
    const { revision } = (await stored()).metadata;
    await worker.engine.queues.request({ ...id, revision });
    await expect
      .poll(() => requestsFor(id).map(({ outcome }) => outcome))
      .toEqual(['hastened', 'cooling_down']);
    expect(tokenRequests()).toBe(1);
  });
});

describe('an agent’s own bad request marks a healthy connection as broken', () => {
  test.each([400, 403, 404, 409, 422, 429, 500])(
    '%i of the upstream passes, and changes nothing',
    async (status) => {
      const { id, send, stored } = await connected(`own-${status}`);
      const before = await stored();
      expect((await send(`/status/${status}`)).status).toBe(status);
      expect(await stored()).toEqual(before);
      expect([requestsFor(id), tokenRequests()]).toEqual([[], 0]);
    },
  );

  test('an agent that we refuse reaches neither the upstream nor the credential', async () => {
    const { id, stored } = await connected('unknown');
    const before = await stored();
    const headers = bearer('cak_nobody_wrongsecret');
    const answers = [
      await call(system.url, '/proxy/bare/a', { headers }),
      await call(system.url, '/proxy/bare/a', { headers: { ...headers, 'x-tenant-id': id.tenantId } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 401]);
    expect(await stored()).toEqual(before);
    expect([refusals, tokenRequests()]).toEqual([0, 0]);
  });

  test('an address that answers 401 whatever it is sent costs one refresh, and all others serve on', async () => {
    const { send, stored } = await connected('one-address');
    for (let more = 0; more < 5; more += 1) expect((await send('/status/401')).status).toBe(502);
    expect((await send('/a')).status).toBe(200);
    expect((await stored()).metadata).toMatchObject({ status: 'active', refreshCount: 1 });
    expect(tokenRequests()).toBe(1);
  });
});
