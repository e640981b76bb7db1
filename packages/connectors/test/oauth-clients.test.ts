import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, OAuthProxy } from '../src/index.ts';
import { startProxyDeployment, type ProxyDeployment } from './start-proxy.ts';

const tenantId = 'acme';
let deployment: ProxyDeployment;
let proxy: OAuthProxy;

beforeAll(async () => {
  deployment = await startProxyDeployment();
});
afterAll(() => deployment.close());

beforeEach(() => {
  proxy = deployment.newProxy();
});

const failure = (code: string) => expect.objectContaining({ code }) as Error;

describe('a token response', () => {
  it('without scopes grants what the client asks for', async () => {
    const clients = new Map([
      [
        'own',
        {
          clientId: 'a',
          clientSecret: 'b',
          scopes: ['one', 'two'],
          tokenEndpoint: 'https://a.test/t',
          authEndpoint: 'https://a.test/a',
        },
      ],
    ]);
    const own = new OAuthProxy(deployment.vault, deployment.api.url, clients, {
      redisUrl: deployment.redis.url,
    });
    const stored = await own.storeInitialCredentials(tenantId, 'own', { access_token: 'at-own' });
    expect([stored.scopes, stored.expiresAt]).toEqual([['one', 'two'], undefined]);
    await own.close();
  });

  it('without a token is refused, and nothing of it is told', () => {
    expect(() => proxy.storeInitialCredentials(tenantId, 'github', { error: 'canary' })).toThrow(
      failure('invalid_request'),
    );
    expect(() => proxy.storeInitialCredentials(tenantId, 'github', { error: 'canary' })).not.toThrow(
      'canary',
    );
  });
});

it('a client that cannot be used is refused with every problem at once, before anything is opened', () => {
  const clients = new Map([
    [
      'github',
      {
        clientId: undefined,
        clientSecret: 'canary-secret',
        tokenEndpoint: 'ftp://a',
        authEndpoint: 'nowhere',
      },
    ],
  ]);
  const make = () => new OAuthProxy(deployment.vault, 'not a url', clients);
  expect(make).toThrow(ConfigError);
  expect(make).toThrow(/upstream\.rest: [^]*authorizeUrl: [^]*tokenUrl: /);
  expect(make).not.toThrow('canary-secret');
});

it('a client without an id is refused', () => {
  const client = {
    clientId: undefined,
    clientSecret: 'b',
    tokenEndpoint: 'https://a.test/t',
    authEndpoint: 'https://a.test/a',
  };
  const make = () => new OAuthProxy(deployment.vault, 'https://a.test', new Map([['github', client]]));
  expect(make).toThrow(/integrations\.github\.clientId: required/);
});
