import type { ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type OAuthProxy, type ProxyRequest } from '../src/index.ts';
import { startProxyDeployment, type ProxyDeployment } from './start-proxy.ts';

let deployment: ProxyDeployment;
let proxy: OAuthProxy;
let tenantId: string;
let tenants = 0;

beforeAll(async () => {
  deployment = await startProxyDeployment();
});
afterAll(() => deployment.close());

beforeEach(() => {
  tenants += 1;
  tenantId = `tenant-${tenants}`;
  deployment.api.seen.length = 0;
  deployment.api.answer = (_request, response) => say(response, 'ok');
  proxy = deployment.newProxy();
});

const call = (request: Partial<ProxyRequest> = {}) =>
  proxy.proxyRequest({ tenantId, integration: 'github', method: 'GET', path: '/user', ...request });

async function connect(integration = 'github') {
  const granted = await deployment.grant(tenantId);
  await proxy.storeInitialCredentials(tenantId, integration, { ...granted });
  return granted;
}

const say = (response: ServerResponse, text: string) =>
  response.setHeader('Content-Type', 'text/plain').end(text);

/** The token was issued an hour ago, and lives on for that many seconds. */
async function age(seconds: number) {
  const id = { tenantId, integration: 'github' };
  const { credential, version } = await deployment.vault.credentials.get(id);
  const tokenIssuedAt = new Date(Date.now() - 3_600_000).toISOString();
  const expiresAt = new Date(Date.now() + seconds * 1_000).toISOString();
  const aged = { ...credential, expiresAt, metadata: { ...credential.metadata, tokenIssuedAt } };
  await deployment.vault.credentials.write(id, aged, version);
}

const tokensSeen = () => deployment.api.seen.map(({ headers }) => headers.authorization?.split(' ')[1]);
const failure = (code: string) => expect.objectContaining({ code }) as Error;

describe('a token that the API refuses', () => {
  const refuse = (token: string, status = 401, challenge = 'Bearer') => {
    deployment.api.answer = ({ headers }, response) =>
      headers.authorization === `Bearer ${token}`
        ? response.writeHead(status, { 'WWW-Authenticate': challenge }).end()
        : say(response, 'welcome');
  };

  it('is refreshed, and the request is sent once more with its body', async () => {
    await proxy.start();
    const { access_token: old } = await connect();
    refuse(old);
    const { data } = await call({ method: 'PUT', body: { a: 1 } });
    expect(data).toBe('welcome');
    expect(deployment.api.seen.map(({ body }) => body)).toEqual(['{"a":1}', '{"a":1}']);
    const { accessToken } = await deployment.vault.getCredentials(tenantId, 'github');
    expect(tokensSeen()).toEqual([old, accessToken]);
  });

  it('is refreshed also when that is told with a 403', async () => {
    await proxy.start();
    const { access_token: old } = await connect();
    refuse(old, 403, 'Bearer error="invalid_token"');
    expect((await call()).data).toBe('welcome');
  });

  it('is refreshed also when that is told with a success, as Slack does', async () => {
    await proxy.start();
    const { access_token: old } = await connect('slack');
    deployment.api.answer = ({ headers }, response) =>
      say(response, headers.authorization === `Bearer ${old}` ? '{"error":"token_expired"}' : 'welcome');
    expect((await call({ integration: 'slack' })).data).toBe('welcome');
  });

  it('is not refreshed for a permission that is missing', async () => {
    await proxy.start();
    const { access_token: old } = await connect();
    refuse(old, 401, 'Bearer error="insufficient_scope"');
    expect((await call()).status).toBe(401);
    expect(deployment.api.seen).toHaveLength(1);
  });

  it('is refreshed once for all requests that met it', async () => {
    await proxy.start();
    const { access_token: old } = await connect();
    refuse(old);
    deployment.provider.tokenRequests.length = 0;
    const answers = await Promise.all([call(), call(), call()]);
    expect(answers.map(({ data }) => data)).toEqual(['welcome', 'welcome', 'welcome']);
    expect(deployment.provider.tokenRequests).toHaveLength(1);
  });

  it('is an error when its successor is refused as well, and causes no storm of refreshes', async () => {
    proxy = deployment.newProxy({ env: { REFRESH_COOLDOWN_SECONDS: '60' } });
    await proxy.start();
    await connect();
    await age(1_800);
    deployment.api.answer = (_request, response) => response.writeHead(401).end();
    deployment.provider.tokenRequests.length = 0;
    await expect(call()).rejects.toEqual(failure('upstream_rejected_credential'));
    await expect(call()).rejects.toEqual(failure('upstream_rejected_credential'));
    expect(deployment.provider.tokenRequests).toHaveLength(1);
  });
});

describe('a token that is about to expire', () => {
  it('is not sent: the request waits for the refresh', async () => {
    await proxy.start();
    const { access_token: old } = await connect();
    await age(2);
    await call();
    expect(tokensSeen()).not.toContain(old);
  });
});

it('a credential that the user ended is TokenExpiredError, with the time', async () => {
  await proxy.start();
  const { access_token: token } = await connect();
  await deployment.provider.revokeGrant(token);
  deployment.api.answer = (_request, response) => response.writeHead(401).end();
  const error: unknown = await call().catch((error: unknown) => error);
  expect(error).toMatchObject({ name: 'TokenExpiredError', code: 'token_expired' });
  expect((error as { expiredAt: Date }).expiredAt.getTime()).toBeLessThanOrEqual(Date.now());
});

it('a tenant that has not connected is CredentialNotFoundError', async () => {
  await expect(call()).rejects.toMatchObject({ name: 'CredentialNotFoundError' });
});

it('a reconnect is used by the next request', async () => {
  const first = await connect();
  await call();
  const second = await connect();
  // Told by the event, or an event later.
  await expect
    .poll(async () => {
      await call();
      return tokensSeen().at(-1);
    })
    .toBe(second.access_token);
  expect(tokensSeen()[0]).toBe(first.access_token);
});

it('a rate limit of the API is RateLimitError, also where it is a 403', async () => {
  await connect();
  deployment.api.answer = (_request, response) => response.writeHead(403, { 'Retry-After': '3' }).end();
  const error: unknown = await call().catch((error: unknown) => error);
  expect((error as { getWaitTimeMs(): number }).getWaitTimeMs()).toBe(3_000);
});

it('a 403 that is about permissions is an answer like others', async () => {
  await connect();
  deployment.api.answer = (_request, response) =>
    response.writeHead(403, { 'Content-Type': 'application/json' }).end('{"message":"Not yours"}');
  expect(await call()).toMatchObject({ status: 403, data: { message: 'Not yours' } });
});

describe('a request', () => {
  beforeEach(async () => {
    await connect();
  });

  it.each([
    ['an object as JSON', { a: [1] }, '{"a":[1]}', 'application/json'],
    ['text as it is', 'a=1', 'a=1', undefined],
    ['bytes as they are', new TextEncoder().encode('bytes'), 'bytes', undefined],
  ])('sends %s', async (_what, body, sent, type) => {
    await call({ method: 'POST', body });
    const [seen] = deployment.api.seen;
    expect([seen?.body, seen?.headers['content-type']]).toEqual([sent, type]);
  });

  it('has its query after its path', async () => {
    await call({ path: '/search', query: { q: 'a b&c', page: 2, tag: ['x', 'y'] } });
    expect(deployment.api.seen[0]?.url).toBe('/github/search?q=a+b%26c&page=2&tag=x&tag=y');
  });

  it('may have headers of its own, but not for the token', async () => {
    const { accessToken } = await deployment.vault.getCredentials(tenantId, 'github');
    await call({ headers: { Accept: 'text/x-own', AUTHORIZATION: 'Bearer own', Host: 'elsewhere' } });
    const headers = deployment.api.seen[0]?.headers;
    expect(headers).toMatchObject({
      accept: 'text/x-own',
      authorization: `Bearer ${accessToken}`,
      host: new URL(deployment.api.url).host,
    });
  });

  it("has the headers that the integration's API insists on", async () => {
    await call();
    expect(deployment.api.seen[0]?.headers).toMatchObject({ 'x-github-api-version': '2022-11-28' });
  });

  it.each(['user', '//elsewhere', '/a/../../b', '/a/%2e%2e/b', '/a#b', String.raw`/a\..\b`])(
    'cannot leave its API by the path %s',
    async (path) => {
      await expect(call({ path })).rejects.toEqual(failure('invalid_request'));
      expect(deployment.api.seen).toEqual([]);
    },
  );

  it('does not follow a redirect, for the token would', async () => {
    deployment.api.answer = (_request, response) => response.writeHead(302, { Location: '/other' }).end();
    expect(await call()).toMatchObject({ status: 302, headers: { location: '/other' } });
    expect(deployment.api.seen).toHaveLength(1);
  });

  it('to an integration that is not there fails', async () => {
    await expect(call({ integration: 'gitlab' })).rejects.toEqual(failure('integration_unknown'));
  });

  it('tells with a code that the API does not answer, and nothing of what was sent', async () => {
    deployment.api.answer = (_request, response) => response.destroy();
    const { accessToken } = await deployment.vault.getCredentials(tenantId, 'github');
    const error: unknown = await call().catch((error: unknown) => error);
    expect(error).toEqual(failure('upstream_unreachable'));
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(accessToken);
  });

  it('tells when the API takes too long', async () => {
    proxy = deployment.newProxy({ timeoutMs: 50 });
    deployment.api.answer = () => undefined;
    await expect(call()).rejects.toEqual(failure('upstream_timeout'));
  });
});

describe('an answer', () => {
  beforeEach(async () => {
    await connect();
  });

  it.each([
    ['JSON as its value', 'application/json', '{"a":1}', { a: 1 }],
    ['other kinds of JSON as their value', 'application/problem+json; charset=utf-8', '[1]', [1]],
    ['what only calls itself JSON as text', 'application/json', '{', '{'],
    ['text as text', 'text/plain', 'grüße', 'grüße'],
    ['anything else as bytes', 'application/octet-stream', 'ab', Buffer.from('ab')],
    ['nothing as undefined', 'application/json', '', undefined],
  ])('holds %s', async (_what, type, body, data) => {
    deployment.api.answer = (_request, response) => response.setHeader('Content-Type', type).end(body);
    const response = await call();
    expect(response.data instanceof Uint8Array ? Buffer.from(response.data) : response.data).toEqual(data);
  });
});

it('an integration may have its API elsewhere than below the common address', async () => {
  proxy = deployment.newProxy({ upstreams: { github: `${deployment.api.url}/api/v3/` } });
  await connect();
  await call();
  expect(deployment.api.seen[0]?.url).toBe('/api/v3/user');
});

it('requests are served while Redis is away', async () => {
  await connect();
  proxy = deployment.newProxy({ redisUrl: 'redis://127.0.0.1:1' });
  void proxy.start();
  expect((await call()).data).toBe('ok');
});

it('no log line holds a token or a client secret', async () => {
  await proxy.start();
  const granted = await connect();
  deployment.api.answer = (_request, response) => response.writeHead(401).end();
  await call().catch(() => undefined);
  const { accessToken, refreshToken = '' } = await deployment.vault.getCredentials(tenantId, 'github');
  const logged = deployment.lines.join('\n');
  for (const secret of [granted.access_token, granted.refresh_token, accessToken, refreshToken])
    expect(logged).not.toContain(secret);
  expect(logged).not.toContain(deployment.client.clientSecret);
});
