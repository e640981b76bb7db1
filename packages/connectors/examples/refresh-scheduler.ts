import { RefreshScheduler, VaultClient } from '@connectors/connectors';

const { VAULT_ADDR = 'http://localhost:8200', VAULT_TOKEN = 'dev-root-token' } = process.env;
const { REDIS_URL = 'redis://localhost:6379' } = process.env;

const vault = new VaultClient({ address: VAULT_ADDR, token: VAULT_TOKEN });

// GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET and their like say what there is to refresh.
const scheduler = new RefreshScheduler({ vault, redisUrl: REDIS_URL, env: process.env });

scheduler.on('refresh-success', ({ tenantId, integration, expiresAt }) => {
  console.log(`Token refreshed: ${tenantId}/${integration}, expires ${expiresAt?.toISOString()}`);
});

scheduler.on('refresh-failed', ({ tenantId, integration, error }) => {
  console.error(`Refresh failed: ${tenantId}/${integration}`, error);
  // Alert admin or user
});

scheduler.on('refresh-retry', ({ tenantId, integration, retryCount }) => {
  console.warn(`Retrying refresh: ${tenantId}/${integration} (attempt ${retryCount})`);
});

await scheduler.start();

process.once('SIGTERM', () => {
  void scheduler.close().then(() => vault.close());
});
