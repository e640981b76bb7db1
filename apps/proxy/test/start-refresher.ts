import { readTokenResponse, refreshAccessToken, type ReadyIntegration } from '@connectors/oauth';
import { requestQueueName, Secret, type RefreshJobData } from '@connectors/vault-core';
import { Worker } from 'bullmq';
import { prefix, type System } from './start-system.ts';

/** Takes requests off the queue and does what a worker does: a real refresh, the new tokens into Vault, an event. */
export async function startRefresher(system: System) {
  const { admin, integrations, guard, clock } = system;
  const requests: RefreshJobData[] = [];

  async function refresh(job: RefreshJobData): Promise<void> {
    const { tenantId, integration } = job;
    const old = await admin.getCredentials(tenantId, integration);
    if (old.metadata.revision !== job.revision) return;
    const ready = integrations.get(integration) as ReadyIntegration;
    const refreshToken = new Secret(old.refreshToken ?? '');
    const answer = await refreshAccessToken({ integration: ready, refreshToken, guard });
    const result = readTokenResponse(ready.provider, answer);
    if (result.kind === 'failure') {
      await system.markDead({ tenantId, integration });
      await system.publish({ type: 'refresh-failed', ...job, error: result.failure.reason });
      return;
    }
    const { metadata } = await admin.storeCredentials(tenantId, integration, {
      accessToken: result.tokens.accessToken.reveal(),
      refreshToken: result.tokens.refreshToken?.reveal(),
      expiresAt: new Date(clock.now() + 3_600_000),
      scopes: old.scopes,
      tokenType: old.tokenType,
      integration,
    });
    await system.publish({ type: 'refresh-success', tenantId, integration, revision: metadata.revision });
  }

  const worker = new Worker<RefreshJobData>(
    requestQueueName,
    async ({ data }) => {
      requests.push(data);
      await refresh(data);
    },
    { connection: { url: system.redis.url }, prefix },
  );
  worker.on('error', () => undefined);
  await worker.waitUntilReady();
  return { requests, close: () => worker.close() };
}
