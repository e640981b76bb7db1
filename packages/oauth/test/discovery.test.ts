import { EgressGuard } from '@connectors/egress';
import { Secret } from '@connectors/vault-core';
import { describe, expect, it } from 'vitest';
import { Discovery, loadIntegrations } from '../src/index.ts';
import type { Integration } from '../src/index.ts';
import { plainIntegration } from './fixtures.ts';
import { sendJson, startEndpoint } from './start-endpoint.ts';

const guard = new EgressGuard({ allow: ['127.0.0.1'] });
const clientSecret = new Secret('secret');
const oidcPath = '/.well-known/openid-configuration';

function integrationOf(issuer: string, fields = ''): Integration {
  const yaml = `integrations: { sso: { issuer: "${issuer}", clientId: c, upstream: { rest: "https://api.example" }${fields} } }`;
  const { integrations, problems } = loadIntegrations({ yaml, env: {} });
  const sso = integrations.get('sso');
  if (sso === undefined) throw new Error(problems.join());
  return sso;
}

function documentOf(issuer: string, fields: object = {}): object {
  return {
    issuer,
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${issuer}/token`,
    revocation_endpoint: `${issuer}/revoke`,
    ...fields,
  };
}

/** An issuer whose documents are looked up by path; the values may change between requests. */
async function startIssuer(documents: Record<string, (issuer: string) => object>) {
  const endpoint = await startEndpoint((response, { path = '' }) => {
    const document = documents[path]?.(endpoint.url);
    if (document === undefined) sendJson(response, {}, 404);
    else sendJson(response, document);
  });
  return endpoint;
}

describe('discovery', () => {
  it('completes an integration with the endpoints of its issuer', async () => {
    const { url } = await startIssuer({ [oidcPath]: documentOf });
    const { provider } = await new Discovery({ guard }).complete(integrationOf(url));
    expect(provider).toMatchObject({
      authorizeUrl: `${url}/auth`,
      tokenUrl: `${url}/token`,
      revokeUrl: `${url}/revoke`,
      clientAuthentication: 'basic',
    });
  });

  it('finds the document of an issuer with a path where OpenID Connect puts it', async () => {
    const { url } = await startIssuer({
      [`/realms/a${oidcPath}`]: (origin) => documentOf(`${origin}/realms/a`),
    });
    const { provider } = await new Discovery({ guard }).complete(integrationOf(`${url}/realms/a`));
    expect(provider.tokenUrl).toBe(`${url}/realms/a/token`);
  });

  it('finds it where RFC 8414 puts it', async () => {
    const path = '/.well-known/oauth-authorization-server/realms/a';
    const { url, requests } = await startIssuer({ [path]: (origin) => documentOf(`${origin}/realms/a`) });
    const { provider } = await new Discovery({ guard }).complete(integrationOf(`${url}/realms/a`));
    expect(provider.tokenUrl).toBe(`${url}/realms/a/token`);
    expect(requests.map((request) => request.path)).toEqual([`/realms/a${oidcPath}`, path]);
  });

  it.each([
    [['client_secret_post', 'private_key_jwt'], 'post'],
    [['client_secret_post', 'client_secret_basic'], 'basic'],
    [['none'], 'none'],
  ])('chooses among the client authentications %j: %s', async (methods, chosen) => {
    const { url } = await startIssuer({
      [oidcPath]: (issuer) => documentOf(issuer, { token_endpoint_auth_methods_supported: methods }),
    });
    const { provider } = await new Discovery({ guard }).complete(integrationOf(url));
    expect(provider.clientAuthentication).toBe(chosen);
  });

  it.each([
    ['the server takes it', ['client_secret_basic', 'private_key_jwt'], {}, 'private_key_jwt'],
    ['the server does not take it', ['client_secret_post'], {}, 'post'],
    ['there is a secret as well', ['private_key_jwt', 'client_secret_basic'], { clientSecret }, 'basic'],
  ])('of a client with a private key chooses that if %s: %j', async (_, methods, secret, chosen) => {
    const { url } = await startIssuer({
      [oidcPath]: (issuer) => documentOf(issuer, { token_endpoint_auth_methods_supported: methods }),
    });
    const integration = { ...integrationOf(url), clientKey: new Secret('key'), ...secret };
    const { provider } = await new Discovery({ guard }).complete(integration);
    expect(provider.clientAuthentication).toBe(chosen);
  });

  it('needs no authorization endpoint where no user consents', async () => {
    const { url } = await startIssuer({
      [oidcPath]: (issuer) => documentOf(issuer, { authorization_endpoint: undefined }),
    });
    const { provider } = await new Discovery({ guard }).complete(
      integrationOf(url, ', grant: client_credentials'),
    );
    expect(provider).toMatchObject({ tokenUrl: `${url}/token`, authorizeUrl: undefined });
  });

  it('lets what the operator configured win', async () => {
    const { url } = await startIssuer({ [oidcPath]: documentOf });
    const integration = integrationOf(
      url,
      ', tokenUrl: "https://other.example/token", clientAuthentication: post',
    );
    const { provider } = await new Discovery({ guard }).complete(integration);
    expect(provider).toMatchObject({ tokenUrl: 'https://other.example/token', clientAuthentication: 'post' });
    expect(provider.authorizeUrl).toBe(`${url}/auth`);
  });

  it('asks nobody when the endpoints are known', async () => {
    const closed = new Discovery({ guard: new EgressGuard() });
    const { provider } = await closed.complete(plainIntegration());
    expect(provider.tokenUrl).toBe('https://as.example/token');
  });
});

describe('a discovery document', () => {
  it('is kept for an hour', async () => {
    let now = 0;
    const { url, requests } = await startIssuer({ [oidcPath]: documentOf });
    const discovery = new Discovery({ guard, now: () => now });
    await discovery.complete(integrationOf(url));
    now = 3_599_999;
    await discovery.complete(integrationOf(url));
    expect(requests).toHaveLength(1);
    now = 3_600_000;
    await discovery.complete(integrationOf(url));
    expect(requests).toHaveLength(2);
  });

  it('is fetched once for everybody who wants it at the same time', async () => {
    const { url, requests } = await startIssuer({ [oidcPath]: documentOf });
    const discovery = new Discovery({ guard });
    await Promise.all([1, 2, 3].map(() => discovery.complete(integrationOf(url))));
    expect(requests).toHaveLength(1);
  });

  it('serves on while no newer one can be had', async () => {
    let now = 0;
    let up = true;
    const endpoint = await startEndpoint((response) =>
      sendJson(response, documentOf(endpoint.url), up ? 200 : 503),
    );
    const discovery = new Discovery({ guard, now: () => now });
    await discovery.complete(integrationOf(endpoint.url));
    [now, up] = [7_200_000, false];
    const { provider } = await discovery.complete(integrationOf(endpoint.url));
    expect(provider.tokenUrl).toBe(`${endpoint.url}/token`);
  });

  it('is asked for again after a failure', async () => {
    let up = false;
    const endpoint = await startEndpoint((response) =>
      sendJson(response, documentOf(endpoint.url), up ? 200 : 503),
    );
    const discovery = new Discovery({ guard });
    await expect(discovery.complete(integrationOf(endpoint.url))).rejects.toMatchObject({
      code: 'discovery_failed',
    });
    up = true;
    await expect(discovery.complete(integrationOf(endpoint.url))).resolves.toBeDefined();
  });

  it.each<[string, (issuer: string) => object]>([
    ['of another issuer', () => documentOf('https://evil.example')],
    ['whose issuer differs by a slash', (issuer) => documentOf(issuer, { issuer: `${issuer}/` })],
    [
      'without an authorization endpoint, where a user has to consent',
      (issuer) => documentOf(issuer, { authorization_endpoint: undefined }),
    ],
    ['without a token endpoint', (issuer) => documentOf(issuer, { token_endpoint: undefined })],
    ['that is no document', () => []],
  ])('is refused: one %s', async (_, document) => {
    const { url } = await startIssuer({ [oidcPath]: document });
    await expect(new Discovery({ guard }).complete(integrationOf(url))).rejects.toMatchObject({
      code: 'discovery_invalid',
      sent: 'no',
    });
  });
});

describe('discovery fails, with no token request sent, when', () => {
  it('there is no document', async () => {
    const { url } = await startIssuer({});
    await expect(new Discovery({ guard }).complete(integrationOf(url))).rejects.toMatchObject({
      code: 'discovery_failed',
      sent: 'no',
    });
  });

  it('the connection is cut', async () => {
    const { url } = await startEndpoint((response) => response.destroy());
    await expect(new Discovery({ guard }).complete(integrationOf(url))).rejects.toMatchObject({
      code: 'discovery_failed',
      sent: 'no',
    });
  });

  it('the issuer is not public', async () => {
    const strict = new Discovery({ guard: new EgressGuard() });
    await expect(strict.complete(integrationOf('https://10.0.0.1'))).rejects.toMatchObject({
      code: 'egress_refused',
      sent: 'no',
    });
  });
});
