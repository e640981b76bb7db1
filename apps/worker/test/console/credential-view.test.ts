import { catalog } from '@connectors/oauth';
import { newMetadata, type StoredCredential } from '@connectors/vault-core';
import { expect, test } from 'vitest';
import { viewCredential } from '../../src/console/credential-view.ts';

const now = Date.parse('2027-01-01T00:00:00Z');

/** What is shown of scopes that were asked for, when these were granted. */
function missing(asked: string[], granted: string[]) {
  const provider = catalog.get('oidc');
  if (provider === undefined) throw new Error('the catalog has no oidc');
  const stored: StoredCredential = {
    accessToken: 'vault:v1:a',
    scopes: granted,
    tokenType: 'Bearer',
    metadata: newMetadata('demo', 'a test', new Date(now)),
  };
  const integration = { id: 'demo', provider, clientId: 'c', scopes: asked, upstreams: {} };
  return viewCredential('demo', integration, stored, { failures: 0 }, now).missingScopes;
}

test('a permission that was not granted is shown as missing', () => {
  expect(missing(['api:read', 'api:write'], ['api:read'])).toEqual(['api:write']);
});

test('a scope that only asks for a refresh token is not missing when the provider names it no more', () => {
  expect(missing(['openid', 'offline_access', 'api:read'], ['api:read'])).toBeUndefined();
});
