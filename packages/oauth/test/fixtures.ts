import { Secret } from '@connectors/vault-core';
import { oauthDefaults } from '../src/provider.ts';
import type { ReadyProvider } from '../src/provider.ts';
import type { ProviderAnswer, ReadyIntegration } from '../src/index.ts';

/** A provider that does as the RFCs say. */
export function plainProvider(fields: Partial<ReadyProvider> = {}): ReadyProvider {
  return {
    ...oauthDefaults,
    id: 'plain',
    name: 'Plain',
    authorizeUrl: 'https://as.example/authorize',
    tokenUrl: 'https://as.example/token',
    clientAuthentication: 'post',
    ...fields,
  };
}

export function plainIntegration(
  fields: Partial<ReadyIntegration> = {},
  provider: Partial<ReadyProvider> = {},
): ReadyIntegration {
  return {
    id: 'plain',
    provider: plainProvider(provider),
    clientId: 'client-1',
    clientSecret: new Secret('client-secret-canary'),
    scopes: ['read', 'write'],
    upstreams: { rest: 'https://api.example' },
    ...fields,
  };
}

export const receivedAt = Date.parse('2026-03-01T12:00:00Z');

export function answer(
  status: number,
  body: unknown,
  headers: ProviderAnswer['headers'] = { 'content-type': 'application/json' },
): ProviderAnswer {
  return {
    status,
    headers,
    body: new Secret(typeof body === 'string' ? body : JSON.stringify(body)),
    receivedAt,
  };
}
