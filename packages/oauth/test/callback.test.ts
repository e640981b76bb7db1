import { describe, expect, it } from 'vitest';
import { readCallback } from '../src/index.ts';
import type { ReadyProvider } from '../src/index.ts';
import { plainIntegration } from './fixtures.ts';

const read = (query: string, provider: Partial<ReadyProvider> = {}) =>
  readCallback(plainIntegration({}, provider), new URLSearchParams(query));

describe('a callback', () => {
  it('brings a code', () => {
    const callback = read('code=c-1&state=s');
    expect(callback.kind === 'code' && callback.code.reveal()).toBe('c-1');
  });

  it.each([
    ['error=access_denied&error_description=x&state=s', 'access_denied'],
    ['error=SERVER_ERROR&state=s', 'server_error'],
    ['error=%3Cscript%3E&state=s', 'unrecognised'],
    ['error=access_denied&code=c&state=s', 'access_denied'],
    ['state=s', 'invalid_request'],
    ['code=&state=s', 'invalid_request'],
    ['code=c', 'invalid_request'],
    ['code=a&code=b&state=s', 'invalid_request'],
    ['code=a&state=s&state=t', 'invalid_request'],
    ['code=a&state=s&iss=a&iss=b', 'invalid_request'],
  ])('%s is a refusal: %s', (query, error) => {
    expect(read(query)).toEqual({ kind: 'refused', error });
  });
});

describe('the issuer of a callback (RFC 9207)', () => {
  const issuer = 'https://as.example';

  it('must be the integration’s when it is named', () => {
    expect(read('code=c&state=s&iss=https://as.example', { issuer }).kind).toBe('code');
    expect(read('code=c&state=s&iss=https://evil.example', { issuer }).kind).toBe('wrong_issuer');
    expect(read('code=c&state=s&iss=https://as.example/', { issuer }).kind).toBe('wrong_issuer');
    expect(read('error=access_denied&state=s&iss=https://evil.example', { issuer }).kind).toBe(
      'wrong_issuer',
    );
  });

  it('must be named where the server says that it always names it', () => {
    expect(read('code=c&state=s', { issuer, namesIssuer: true }).kind).toBe('wrong_issuer');
    expect(read('code=c&state=s', { issuer, namesIssuer: false }).kind).toBe('code');
  });

  it('says nothing where nobody knows which it should be', () => {
    expect(read('code=c&state=s&iss=https://accounts.example').kind).toBe('code');
  });
});

describe('fields that a callback tells', () => {
  const fields = {
    realmId: { pattern: '[0-9]{1,20}', optional: true, from: { callback: 'realmId' } },
    accounts: {
      pattern: 'accounts\\.zoho\\.[a-z.]+',
      from: { callback: 'accounts-server', part: 'host' as const },
    },
  };

  it('are taken by name, of a URL the host alone', () => {
    const query = 'code=c&state=s&realmId=123&accounts-server=https%3A%2F%2Faccounts.zoho.eu%2Fx&more=1';
    expect(read(query, { fields })).toMatchObject({
      fields: { realmId: '123', accounts: 'accounts.zoho.eu' },
    });
  });

  it.each([
    'realmId=12x',
    'realmId=../1',
    'accounts-server=https://evil.example',
    'accounts-server=accounts.zoho.eu',
  ])('are left out when they break their rule: %s', (query) =>
    expect(read(`code=c&state=s&${query}`, { fields })).toMatchObject({ fields: {} }),
  );
});
