import { CredentialNotFoundError, VaultClient, type OAuthCredentials } from '@connectors/connectors';

const { VAULT_ADDR = 'http://localhost:8200', VAULT_TOKEN = 'dev-root-token' } = process.env;

const vault = new VaultClient({ address: VAULT_ADDR, token: VAULT_TOKEN });

const credentials: OAuthCredentials = {
  accessToken: 'gho_abc123...',
  refreshToken: 'ghr_xyz789...',
  expiresAt: new Date(Date.now() + 3600000), // 1 hour
  scopes: ['repo', 'user'],
  tokenType: 'Bearer',
  integration: 'github',
};

await vault.storeCredentials('tenant-123', 'github', credentials);

const creds = await vault.getCredentials('tenant-123', 'github');
console.log(creds.accessToken); // decrypted: gho_abc123...
console.log(creds); // all but the tokens

try {
  await vault.getCredentials('tenant-123', 'unknown');
} catch (error) {
  if (error instanceof CredentialNotFoundError) console.log('User needs to connect integration');
}

const isHealthy = await vault.healthCheck();
if (!isHealthy) console.error('Vault unavailable - using fallback');

await vault.close();
