import type { CredentialId, OAuthCredentials } from '../src/index.ts';

/** What a user granted. Its tokens are not to be seen anywhere but in Vault. */
export const granted: OAuthCredentials = {
  accessToken: 'gho_canary',
  refreshToken: 'ghr_canary',
  expiresAt: new Date('2030-01-01T00:00:00Z'),
  scopes: ['repo'],
  tokenType: 'Bearer',
  integration: 'github',
};

let tenants = 0;

/** A tenant of the test's own. */
export function newId(): CredentialId {
  return { tenantId: `tenant-${(tenants += 1)}`, integration: 'github' };
}
