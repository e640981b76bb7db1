import { Secret } from '@connectors/vault-core';
import { describe, expect, it } from 'vitest';
import { authorizeUrl, catalog, codeChallenge } from '../src/index.ts';
import type { ReadyProvider } from '../src/index.ts';
import { plainIntegration } from './fixtures.ts';

const request = {
  redirectUri: 'https://console.example/callback',
  state: 'st&te',
  codeChallenge: 'challenge',
};

function parameters(
  provider: Partial<ReadyProvider> = {},
  scopes = ['read', 'write'],
): Record<string, string> {
  return Object.fromEntries(authorizeUrl(plainIntegration({ scopes }, provider), request).searchParams);
}

describe('the authorize URL', () => {
  it('asks for a code, bound to state and challenge', () => {
    const url = authorizeUrl(plainIntegration(), request);
    expect(url.origin + url.pathname).toBe('https://as.example/authorize');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      response_type: 'code',
      client_id: 'client-1',
      redirect_uri: 'https://console.example/callback',
      scope: 'read write',
      state: 'st&te',
      code_challenge: 'challenge',
      code_challenge_method: 'S256',
    });
  });

  it('carries a nonce when there is one', () => {
    expect(authorizeUrl(plainIntegration(), { ...request, nonce: 'n-1' }).searchParams.get('nonce')).toBe(
      'n-1',
    );
  });

  it('leaves the challenge out for a provider without PKCE', () => {
    expect(parameters({ pkce: false })).not.toHaveProperty('code_challenge');
    expect(parameters({ pkce: false })).not.toHaveProperty('code_challenge_method');
  });

  it('leaves the scope out when there is none', () => {
    expect(parameters({}, [])).not.toHaveProperty('scope');
  });

  it('separates scopes as the provider wants them', () => {
    expect(parameters({ scopeSeparator: ',' })['scope']).toBe('read,write');
  });

  it('keeps the query that the provider has in its URL', () => {
    expect(parameters({ authorizeUrl: 'https://as.example/authorize?realm=main' })['realm']).toBe('main');
  });

  it('adds what the provider wants, but never in place of what protects the flow', () => {
    const added = parameters({
      authorizeParams: { access_type: 'offline', state: 'fixed', response_type: 'token' },
    });
    expect(added).toMatchObject({ access_type: 'offline', state: 'st&te', response_type: 'code' });
  });

  it('asks Google for a refresh token, also the second time', () => {
    const { authorizeParams = {} } = catalog.get('google') ?? {};
    expect(parameters({ authorizeParams })).toMatchObject({ access_type: 'offline', prompt: 'consent' });
  });
});

describe('PKCE', () => {
  it('derives the challenge from the verifier with S256, as RFC 7636 B shows it', () => {
    const verifier = new Secret('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk');
    expect(codeChallenge(verifier)).toBe('E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM');
  });

  it('does not exist for a grant that no user gives', () => {
    const { authorizeUrl: _none, ...provider } = plainIntegration(
      {},
      { grant: 'client_credentials' },
    ).provider;
    expect(() => authorizeUrl({ ...plainIntegration(), provider }, request)).toThrow(
      'client_credentials needs no consent',
    );
  });
});
