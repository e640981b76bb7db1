import type { ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { fingerprint } from '@connectors/dev-servers';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { bearer, call, echoOf, open, problemOf, type Call } from './call.ts';
import { startSystem, type System } from './start-system.ts';
import { startUpstream } from './start-upstream.ts';
import { startWorker, type Worker } from './start-worker.ts';

let system: System;
let bare: Awaited<ReturnType<typeof startUpstream>>;
let worker: Worker;

beforeAll(async () => {
  bare = await startUpstream();
  bare.handle = (_request, response) => response.writeHead(401, { 'www-authenticate': 'Bearer' }).end('no');
  // Longer than any test may take: what is waited for must come by event.
  system = await startSystem({
    upstreams: { bare: bare.url },
    entries: { quiet: { tokenRefusedErrors: ['token_expired'], upstream: { rest: bare.url } } },
    refreshWaitMs: 60_000,
    refreshCooldownMs: 30_000,
  });
  worker = await startWorker(system, { cooldownMs: 0 });
});
afterAll(async () => {
  await worker.close();
  await system.close();
  await bare.close();
});

async function connected(tenant: string, integration = 'demo') {
  const { accessToken } = await system.connect(tenant, integration);
  const { key } = await system.createAgent({ tenants: [tenant] });
  const send = (path = '/a', options: Omit<Call, 'headers'> = {}) =>
    call(system.url, `/proxy/${integration}${path}`, { ...options, headers: bearer(key) });
  const revoke = async () => {
    await system.authorizationServer.revokeAccessToken(accessToken);
    // The upstream may believe in a token for a second longer.
    await expect
      .poll(async () => (await call(system.rest.url, '/', { headers: bearer(accessToken) })).status, {
        timeout: 3_000,
      })
      .toBe(401);
  };
  return { accessToken, send, key, revoke };
}

const requestsFor = (tenant: string) => worker.requests().filter(({ tenantId }) => tenantId === tenant);

test('the request after that uses the new token at once', async () => {
  const { send, revoke } = await connected('next');
  await revoke();
  const first = echoOf(await send());
  const second = echoOf(await send());
  expect(second.tokenFingerprint).toBe(first.tokenFingerprint);
  expect(requestsFor('next')).toHaveLength(1);
});

test('the access line tells whether a refused token was replaced', async () => {
  const { send, revoke } = await connected('told');
  await revoke();
  await send('/replaced');
  const stubborn = await connected('untold', 'bare');
  await system.markDead({ tenantId: 'untold', integration: 'bare' });
  await stubborn.send('/dead');
  const forced = (path: string) => {
    const line = system.lines.find((text) => text.includes(`"path":"${path}"`)) ?? '{}';
    return (JSON.parse(line) as { refreshForced?: boolean }).refreshForced;
  };
  await expect.poll(() => forced('/replaced')).toBe(true);
  expect(forced('/dead')).toBeUndefined();
});

describe('when a request was sent again and its agent goes away, both answers end at the upstream:', () => {
  const later = (answer: ServerResponse) => void setTimeout(() => answer.end(), 200);
  test.each<[string, (refusal: ServerResponse) => void]>([
    ['a refusal without an end', () => undefined],
    ['a refusal that ends after the second attempt began', later],
  ])('%s', async (what, onSecond) => {
    const upstream = await startUpstream();
    onTestFinished(upstream.close);
    const tenant = what.replaceAll(' ', '-').slice(0, 40);
    const here = await startSystem({ upstreams: { endless: upstream.url } });
    onTestFinished(() => here.close());
    const { key } = await here.createAgent({ tenants: [tenant] });
    await here.connect(tenant, 'endless');
    const answers: ServerResponse[] = [];
    upstream.handle = (_request, response) => {
      answers.push(response);
      response.writeHead(answers.length === 2 ? 401 : 200).write('begun');
      if (answers.length === 3 && answers[1] !== undefined) onSecond(answers[1]);
    };
    const ask = () => open(here.url, '/proxy/endless/', { headers: bearer(key) });
    (await ask()).on('error', () => undefined).destroy();
    // Nobody tells the proxy: it finds out when the token that it has is refused.
    await here.connect(tenant, 'endless');
    const agent = await ask();
    await expect.poll(() => answers[1]?.destroyed).toBe(true);
    agent.on('error', () => undefined).destroy();
    await expect.poll(() => answers.filter(({ destroyed }) => !destroyed)).toEqual([]);
  });
});

test('a body that is too large to be kept is not replayed, but will pass when sent again', async () => {
  const { send, revoke } = await connected('large');
  await revoke();
  const body = Buffer.alloc(2 * 1024 * 1024);
  const first = await send('/a', { method: 'POST', body });
  const second = await send('/a', { method: 'POST', body });
  expect([first.status, problemOf(first).code]).toEqual([413, 'payload_too_large']);
  expect(echoOf(second).body.bytes).toBe(body.length);
});

describe('an upstream whose statuses mislead', () => {
  const answering = (status: number, error: string) => {
    bare.handle = (request, response) => {
      seen.push(request.headers.authorization ?? '');
      response.writeHead(status, { 'www-authenticate': `Bearer realm="api", error="${error}"` }).end('no');
    };
  };
  const seen: string[] = [];

  test('gets another token when its 403 says that this one is dead', async () => {
    const { send } = await connected('expired-403', 'bare');
    answering(403, 'invalid_token');
    seen.length = 0;
    const answer = await send();
    expect([answer.status, problemOf(answer).code]).toEqual([502, 'upstream_rejected_credential']);
    expect(new Set(seen).size).toBe(2);
  });

  test('is believed when its 401 says that a permission is missing', async () => {
    const { send } = await connected('missing-401', 'bare');
    answering(401, 'insufficient_scope');
    const answer = await send();
    expect([answer.status, answer.text, answer.headers['www-authenticate']]).toEqual([401, 'no', undefined]);
    expect(requestsFor('missing-401')).toEqual([]);
  });
});

describe('an upstream that refuses tokens with a success', () => {
  const json = { 'content-type': 'application/json; charset=utf-8' };
  const dead = JSON.stringify({ ok: false, error: 'token_expired' });
  /** The first token that it sees is dead. */
  const refusing = (body: Buffer | string, headers: Record<string, string> = {}) => {
    const bodies: string[] = [];
    let first: string | undefined;
    bare.handle = (request, response) => {
      first ??= request.headers.authorization;
      const isDead = request.headers.authorization === first;
      void text(request).then((sent) => {
        bodies.push(sent);
        response.writeHead(200, isDead ? { ...json, ...headers } : json).end(isDead ? body : '{"ok":true}');
      });
    };
    return bodies;
  };

  test.each<[string, Buffer | string, Record<string, string>]>([
    ['plain', dead, {}],
    ['gzip', gzipSync(dead), { 'content-encoding': 'gzip' }],
    ['br', brotliCompressSync(dead), { 'content-encoding': 'br' }],
  ])('gets another token, and the request once more: %s', async (encoding, body, headers) => {
    const { send } = await connected(`quiet-${encoding}`, 'quiet');
    const bodies = refusing(body, headers);
    const answer = await send('/chat.postMessage', { method: 'POST', body: Buffer.from('{"a":1}') });
    expect([answer.status, answer.text, answer.headers['content-encoding']]).toEqual([
      200,
      '{"ok":true}',
      undefined,
    ]);
    expect(bodies).toEqual(['{"a":1}', '{"a":1}']);
  });

  test('is told when it refuses the new one as well', async () => {
    const { send } = await connected('quiet-stubborn', 'quiet');
    bare.handle = (_request, response) => response.writeHead(200, json).end(dead);
    const answer = await send();
    expect([answer.status, problemOf(answer).code]).toEqual([502, 'upstream_rejected_credential']);
  });

  test.each([
    ['another error', '{"ok":false,"error":"not_in_channel"}', {}],
    ['no body', '', {}],
    ['what is not encoded as it says', '{"ok":true}', { 'content-encoding': 'gzip' }],
    ['an encoding that nobody knows', dead, { 'content-encoding': 'other' }],
    ['more than a refusal needs', JSON.stringify({ error: 'token_expired', more: 'a'.repeat(5_000) }), {}],
    ['no JSON', dead, { 'content-type': 'text/plain' }],
  ])('is passed on as it is: %s', async (what, body, headers) => {
    const tenant = what.replaceAll(' ', '-');
    const { send } = await connected(tenant, 'quiet');
    bare.handle = (_request, response) =>
      response.writeHead(200, 'Fine', { ...json, 'x-own': 'a', ...headers }).end(body);
    const answer = await send();
    expect([answer.status, answer.text, answer.headers['x-own']]).toEqual([200, body, 'a']);
    expect(requestsFor(tenant)).toEqual([]);
  });

  test('streams what grows beyond a refusal: nothing waits for its end', async () => {
    const { key } = await connected('quiet-long', 'quiet');
    const upstream = Promise.withResolvers<ServerResponse>();
    bare.handle = (_request, response) => {
      response.writeHead(200, json).write(`["${'a'.repeat(5_000)}"`);
      upstream.resolve(response);
    };
    const agent = await open(system.url, '/proxy/quiet/long', { headers: bearer(key) });
    let seen = '';
    agent.on('data', (piece: Buffer) => (seen += piece.toString()));
    await expect.poll(() => seen.length).toBe(5_003);
    (await upstream.promise).end(']');
    await expect.poll(() => seen.endsWith('"]')).toBe(true);
  });
});

describe('the user has to connect again', () => {
  test('when the grant is gone', async () => {
    const { accessToken, send } = await connected('revoked');
    await system.authorizationServer.revokeGrant(accessToken);
    const answer = await send();
    expect(problemOf(answer)).toMatchObject({
      status: 424,
      code: 'token_expired',
      connectUrl: 'http://console.test/connect/revoked/demo',
    });
  });

  test('when nothing can refresh the token', async () => {
    const { send, revoke } = await connected('dead');
    await system.markDead({ tenantId: 'dead', integration: 'demo' });
    await revoke();
    const answer = await send();
    expect([answer.status, problemOf(answer).code]).toEqual([424, 'token_expired']);
    expect(requestsFor('dead')).toEqual([]);
  });

  test('when the integration was disconnected meanwhile', async () => {
    const { send, revoke } = await connected('left');
    await send();
    await revoke();
    await system.admin.deleteCredentials('left', 'demo');
    const answer = await send();
    expect([answer.status, problemOf(answer).code]).toEqual([424, 'credential_not_found']);
  });
});

describe('a token about to expire', () => {
  test('is not sent: the request waits for its refresh', async () => {
    const { accessToken, send } = await connected('aging');
    const seen = () => system.rest.tokensSeen.get(fingerprint(accessToken)) ?? 0;
    await send();
    system.clock.offset += 3_596_000;
    const echo = echoOf(await send());
    expect(echo.tokenFingerprint).not.toBe(fingerprint(accessToken));
    expect(seen()).toBe(1);
  });

  test('is sent to its end when nothing can refresh it, and then the user has to connect again', async () => {
    const { send } = await connected('ending');
    await system.markDead({ tenantId: 'ending', integration: 'demo' });
    system.clock.offset += 3_596_000;
    expect((await send()).status).toBe(200);
    system.clock.offset += 4_000;
    const answer = await send();
    expect([answer.status, problemOf(answer).code]).toEqual([424, 'token_expired']);
  });
});

describe('an event', () => {
  test('of a reconnect lets the next request use the new token', async () => {
    const { send } = await connected('again');
    await send();
    const { accessToken, stored } = await system.connect('again');
    const { revision } = stored.metadata;
    await system.publish({ type: 'credential-stored', tenantId: 'again', integration: 'demo', revision });
    await vi.waitFor(async () => {
      expect(echoOf(await send()).tokenFingerprint).toBe(fingerprint(accessToken));
    });
  });

  test('of a deletion lets the next request be refused', async () => {
    const { send } = await connected('gone');
    await send();
    await system.admin.deleteCredentials('gone', 'demo');
    await system.publish({
      type: 'credential-deleted',
      tenantId: 'gone',
      integration: 'demo',
      revision: 'any',
    });
    await expect.poll(async () => (await send()).status).toBe(424);
  });

  test('that does not come is not missed for longer than the cache lives', async () => {
    const { send } = await connected('silent');
    await send();
    const { accessToken } = await system.connect('silent');
    expect(echoOf(await send()).tokenFingerprint).not.toBe(fingerprint(accessToken));
    system.clock.offset += 60_000;
    expect(echoOf(await send()).tokenFingerprint).toBe(fingerprint(accessToken));
  });
});
