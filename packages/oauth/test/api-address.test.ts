import { EgressGuard } from '@connectors/egress';
import { describe, expect, it } from 'vitest';
import { apiAddress, unusableFields } from '../src/api-address.ts';
import { loadIntegrations, oauthDefaults } from '../src/index.ts';

const guard = new EgressGuard();

describe('the base URL of a credential', () => {
  const shop = (host: string) =>
    apiAddress(
      { apiHost: '[a-z0-9-]+\\.shop\\.example' },
      'https://{host}/admin/{version}',
      { host, version: 'v 1' },
      guard,
    )?.href;

  it('has the credential’s fields in its host and its path', () => {
    expect(shop('acme.shop.example')).toBe('https://acme.shop.example/admin/v%201');
  });

  it.each([
    ['another host', 'evil.example'],
    ['a host that begins like it', 'acme.shop.example.evil.example'],
    ['a host that ends like it', 'evilshop.example'],
    ['another port', 'acme.shop.example:8443'],
    ['a user', 'acme.shop.example@evil.example'],
    ['a path', 'evil.example/acme.shop.example'],
    ['an address', '127.0.0.1'],
    ['nothing', ''],
  ])('is refused for %s', (_what, host) => {
    expect(shop(host)).toBeUndefined();
  });

  it('is refused where the egress guard refuses it, also at a host of the provider', () => {
    expect(apiAddress({ apiHost: '.*' }, 'https://{host}', { host: '10.0.0.1' }, guard)).toBeUndefined();
    expect(apiAddress({ apiHost: '.*' }, 'http://{host}', { host: 'a.example' }, guard)).toBeUndefined();
  });

  it('is under the configured host where only its path is filled', () => {
    const url = apiAddress({}, 'https://api.example/ex/{cloudId}', { cloudId: '../x' }, guard);
    expect(url?.href).toBe('https://api.example/ex/..%2Fx');
  });
});

describe('a credential cannot be used', () => {
  const provider = {
    fields: { shop: { pattern: '[a-z]+' }, email: { pattern: '.+@.+' }, other: { pattern: 'x' } },
    injection: { ...oauthDefaults.injection, basic: '{email}:{token}' },
  };
  const problems = (fields: Record<string, string>) =>
    unusableFields(provider, ['https://{shop}.example'], fields);

  it('unless what its URL and its injection name fits', () => {
    expect(problems({ shop: 'acme', email: 'a@b' })).toEqual([]);
    expect(problems({ shop: 'Acme!', email: 'a@b' })).toEqual(['shop']);
    expect(problems({ shop: 'acme' })).toEqual(['email']);
  });
});

describe('an entry of connectors.yaml', () => {
  const load = (entry: object) => {
    const acme = { grant: 'api_key', ...entry };
    return loadIntegrations({ yaml: JSON.stringify({ integrations: { acme } }), env: {} }).problems;
  };
  const fields = { shop: { pattern: '[a-z]+' } };

  it('may have fields of the credential in its base URLs and what is injected', () => {
    const entry = {
      fields,
      apiHost: '[a-z]+\\.shop\\.example',
      injection: { headers: { 'X-Shop': '{shop}' } },
      upstream: { rest: 'https://{shop}.shop.example/admin', mcp: 'https://{shop}.shop.example/mcp' },
    };
    expect(load(entry)).toEqual([]);
  });

  it.each([
    [
      'a field that there is not',
      { upstream: { rest: 'https://api.example/{shop}' } },
      'integrations.acme.fields.shop: required, upstream.rest names it',
    ],
    [
      'a field that may be missing',
      { fields: { shop: { pattern: 'a', optional: true } }, upstream: { mcp: 'https://api.example/{shop}' } },
      'integrations.acme.fields.shop: required, upstream.mcp names it',
    ],
    [
      'a field in the host without a rule for hosts',
      { fields, upstream: { rest: 'https://{shop}.example' } },
      'integrations.acme.apiHost: required, fields stand in the host of upstream.rest',
    ],
    [
      'a field that is injected and that there is not',
      { injection: { basic: '{email}:{token}' }, upstream: { rest: 'https://api.example' } },
      'integrations.acme.fields.email: required, injection names it',
    ],
    [
      'a client id that is injected and that there is not',
      { injection: { headers: { 'Client-Id': '{clientId}' } }, upstream: { rest: 'https://api.example' } },
      'integrations.acme.clientId: required, here or as ACME_CLIENT_ID',
    ],
    [
      'the token in two places',
      { injection: { basic: '{token}:', query: 'key' }, upstream: { rest: 'https://api.example' } },
      'integrations.acme.injection: basic and query exclude each other',
    ],
    [
      'the token in a further header',
      { injection: { headers: { 'X-Key': '{token}' } }, upstream: { rest: 'https://api.example' } },
      'integrations.acme.injection: {token} stands in basic only',
    ],
    [
      'one header twice',
      { injection: { headers: { authorization: 'x' } }, upstream: { rest: 'https://api.example' } },
      'integrations.acme.injection: each header may be named once',
    ],
    [
      'basic credentials without a token',
      { injection: { basic: 'user:password' }, upstream: { rest: 'https://api.example' } },
      'integrations.acme.injection.basic: must be user:password, with {token} in one of them',
    ],
    [
      'a header that frames the message',
      { injection: { header: 'Content-Length' }, upstream: { rest: 'https://api.example' } },
      'integrations.acme.injection.header: must not be a header that frames the message',
    ],
  ])('may not have %s', (_what, entry, problem) => {
    expect(load(entry)).toEqual([problem]);
  });
});
