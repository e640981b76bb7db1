import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { loadIntegrations } from '../src/index.ts';
import { newKey } from './new-key.ts';

const { pem } = newKey('RS256');

function load(entries: object, env: Record<string, string> = {}, needsKeys = true) {
  return loadIntegrations({ yaml: JSON.stringify({ integrations: entries }), env, needsKeys });
}

const upstream = { rest: 'https://api.example' };
const tokenUrl = 'https://as.example/token';

describe('an integration whose grant is', () => {
  it('client_credentials needs a client and a token endpoint, and no authorize endpoint', () => {
    const entry = { grant: 'client_credentials', tokenUrl, upstream };
    expect(load({ acme: { ...entry, clientId: 'c' } }).problems).toEqual([]);
    expect(load({ acme: { ...entry, tokenUrl: undefined } }).problems).toEqual([
      'integrations.acme.issuer: required, unless tokenUrl is given',
      'integrations.acme.clientId: required, here or as ACME_CLIENT_ID',
    ]);
  });

  it('client_credentials needs no client where each credential brings its own', () => {
    const fields = { clientId: { pattern: '[0-9]+' } };
    const entry = { grant: 'client_credentials', tokenUrl, upstream, fields };
    expect(load({ acme: entry }).problems).toEqual([]);
    const optional = { ...entry, fields: { clientId: { pattern: '[0-9]+', optional: true } } };
    expect(load({ acme: optional }).problems).toEqual([
      'integrations.acme.clientId: required, here or as ACME_CLIENT_ID',
    ]);
  });

  it('jwt_bearer needs a client unless each credential names an issuer', () => {
    const { integrations, problems } = load({ drive: { provider: 'google-service-account' } });
    expect(problems).toEqual([]);
    expect(integrations.get('drive')).not.toHaveProperty('clientId');
    expect(load({ acme: { grant: 'jwt_bearer', tokenUrl, upstream } }).problems).toEqual([
      'integrations.acme.clientId: required, here or as ACME_CLIENT_ID',
    ]);
  });

  it('github_app needs a client, its key and the address of tokens', () => {
    expect(load({ acme: { grant: 'github_app', issuer: 'https://id.example', upstream } }).problems).toEqual([
      'integrations.acme.tokenUrl: required',
      'integrations.acme.clientId: required, here or as ACME_CLIENT_ID',
    ]);
    expect(load({ hub: { provider: 'github-app', clientId: 'Iv1' } }).problems).toEqual([
      'integrations.hub.clientKeyEnv: a private key is required, as HUB_CLIENT_KEY or in the variable named here',
    ]);
  });

  it('api_key needs only an upstream', () => {
    const entry = { grant: 'api_key', upstream, injection: { header: 'X-Api-Key', scheme: '' } };
    const { integrations, problems } = load({ acme: entry });
    expect(problems).toEqual([]);
    expect(integrations.get('acme')).toMatchObject({
      provider: { grant: 'api_key', injection: { header: 'X-Api-Key', scheme: '' } },
      upstreams: upstream,
    });
  });
});

describe('a private key', () => {
  const hub = { provider: 'github-app', clientId: 'Iv1', clientKeyId: 'k1' };

  it('comes from the variable of its integration', () => {
    const { integrations, problems } = load({ hub }, { HUB_CLIENT_KEY: pem.reveal() });
    expect(problems).toEqual([]);
    expect(integrations.get('hub')?.clientKey?.reveal()).toBe(pem.reveal());
    expect(integrations.get('hub')?.clientKeyId).toBe('k1');
  });

  it('comes from the variable that is named', () => {
    const env = { APP_KEY: pem.reveal(), HUB_CLIENT_KEY: 'another' };
    const { integrations, problems } = load({ hub: { ...hub, clientKeyEnv: 'APP_KEY' } }, env);
    expect(problems).toEqual([]);
    expect(integrations.get('hub')?.clientKey?.reveal()).toBe(pem.reveal());
  });

  it('that cannot be read is told of without being shown', () => {
    const { problems } = load({ hub }, { HUB_CLIENT_KEY: `canary${pem.reveal()}`.slice(0, 300) });
    expect(problems).toEqual([
      'integrations.hub.clientKeyEnv: HUB_CLIENT_KEY holds no private key in PEM, of RSA (from 2048 bits), EC or Ed25519',
    ]);
  });

  it('is needed where the client authenticates with it', () => {
    const entry = { authorizeUrl: 'https://as.example/a', tokenUrl, clientId: 'c', upstream };
    const { problems } = load({ acme: { ...entry, clientAuthentication: 'private_key_jwt' } });
    expect(problems).toEqual([
      'integrations.acme.clientKeyEnv: a private key is required, as ACME_CLIENT_KEY or in the variable named here',
    ]);
  });

  it('is not needed by a process that asks for no tokens: the proxy has none', () => {
    const { integrations, problems } = load({ hub }, {}, false);
    expect(problems).toEqual([]);
    expect(integrations.get('hub')).not.toHaveProperty('clientKey');
  });

  it('without a client is a slip', () => {
    expect(load({}, { GITHUB_APP_CLIENT_KEY: pem.reveal() }).problems).toEqual([
      'GITHUB_APP_CLIENT_KEY: set without GITHUB_APP_CLIENT_ID',
    ]);
  });

  it('is not printed with its integration', () => {
    const { integrations } = load({ hub }, { HUB_CLIENT_KEY: pem.reveal() });
    const printed =
      inspect(integrations, { depth: null, showHidden: true }) + JSON.stringify([...integrations]);
    expect(printed).not.toContain(pem.reveal().split('\n')[1]);
  });
});

describe('the definition of a provider', () => {
  const entry = { grant: 'client_credentials', tokenUrl, clientId: 'c', upstream };

  it('may set what its token requests may do at once, and by the second', () => {
    const { integrations, problems } = load({
      acme: { ...entry, refreshConcurrency: 2, refreshesPerSecond: 0.5, refreshTokenIdleLifetime: 2_592_000 },
    });
    expect(problems).toEqual([]);
    expect(integrations.get('acme')?.provider).toMatchObject({
      refreshConcurrency: 2,
      refreshesPerSecond: 0.5,
      refreshTokenIdleLifetime: 2_592_000,
    });
  });

  it('keeps the fields and parameters of the provider that it overrides', () => {
    const drive = {
      provider: 'google-service-account',
      fields: { subject: { pattern: '.*@acme\\.example' } },
      tokenParams: { a: 'b' },
    };
    const { provider } = load({ drive }).integrations.get('drive') ?? {};
    expect(Object.keys(provider?.fields ?? {})).toEqual(['issuer', 'subject', 'keyId']);
    expect(provider).toMatchObject({
      fields: { subject: { pattern: '.*@acme\\.example' } },
      tokenParams: { a: 'b' },
    });
  });

  it('is told of each of its mistakes', () => {
    const { problems } = load({
      acme: {
        ...entry,
        tokenUrl: 'https://as.example/{realm}/token',
        fields: { 'Bad-Name': { pattern: '.*' }, broken: { pattern: '(' } },
        refreshConcurrency: 0,
        refreshesPerSecond: -1,
        revocationEnds: 'everything',
      },
    });
    expect(problems).toEqual([
      'integrations.acme.fields.Bad-Name: Invalid key in record',
      'integrations.acme.fields.broken.pattern: must be a regular expression',
      'integrations.acme.revocationEnds: Invalid option: expected one of "token"|"grant"',
      'integrations.acme.refreshConcurrency: Too small: expected number to be >0',
      'integrations.acme.refreshesPerSecond: Too small: expected number to be >0',
    ]);
  });

  it('says which hosts the client’s secret may go to, where a credential names the host', () => {
    const fields = { realm: { pattern: '[a-z]+' } };
    const yours = { tokenUrl: 'https://{realm}.as.example/token', fields };
    expect(load({ acme: { ...entry, ...yours } }).problems).toEqual([
      'integrations.acme.authorizationHost: required, fields stand in the host of tokenUrl',
    ]);
    const tied = { ...yours, authorizationHost: '[a-z]+\\.as\\.example' };
    expect(load({ acme: { ...entry, ...tied } }).problems).toEqual([]);
  });

  it.each([
    ['lacks', {}],
    ['calls optional', { realm: { pattern: '[a-z]+', optional: true } }],
  ])('names no field in its tokenUrl that it %s', (_, fields) => {
    const { problems } = load({ acme: { ...entry, tokenUrl: 'https://as.example/{realm}/token', fields } });
    expect(problems).toEqual(['integrations.acme.fields.realm: required, tokenUrl names it']);
  });
});
