import { refreshQueueName } from '@connectors/vault-core';
import type { RefreshMetrics } from '../metrics.ts';
import type { Pass } from './passes.ts';
import type { SweepDeps } from './pass-run.ts';

/** One line for a pass, and one for each integration whose credentials nobody refreshes. */
export async function reportPass({ engine, log, metrics }: SweepDeps, pass: Pass): Promise<void> {
  showPass(metrics, pass);
  const { speed, tally, unconfigured } = pass;
  log[tally.failed > 0 ? 'warn' : 'info']({ speed, ...tally, seconds: secondsOf(pass) }, 'sweep completed');
  for (const [integration, credentials] of Object.entries(unconfigured)) {
    const queue = engine.queues.queue(refreshQueueName(integration));
    const jobs = await queue.getJobCountByTypes('waiting', 'prioritized', 'delayed', 'failed');
    log.warn({ integration, credentials, jobs }, 'an integration with credentials is not configured');
  }
}

/** Every worker shows the last pass, whoever led it. */
export function showPass(metrics: RefreshMetrics, pass: Pass): void {
  metrics.lastSweep.set((pass.endedAt ?? 0) / 1000);
  metrics.lastSweepDuration.set(secondsOf(pass));
}

function secondsOf({ begunAt, endedAt = begunAt }: Pass): number {
  return (endedAt - begunAt) / 1000;
}
