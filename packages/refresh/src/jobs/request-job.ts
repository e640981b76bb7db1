import { isId, type RefreshJobData } from '@connectors/vault-core';
import type { Job } from 'bullmq';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { RefreshEngine } from '../engine.ts';
import type { RefreshMetrics } from '../metrics.ts';
import { refreshNow } from '../refresh-now.ts';

export interface RequestDeps {
  engine: RefreshEngine;
  log: Logger;
  metrics: RefreshMetrics;
}

const id = z.string().refine(isId);
const requestSchema = z.object({ tenantId: id, integration: id, revision: id });

/**
 * Serves a request to refresh a credential now. Proxies write these, and are trusted with less than a worker: only the
 * three ids are taken over, and only integrations that exist become labels of a metric.
 */
export async function runRequestJob(
  { engine, log, metrics }: RequestDeps,
  { data }: Job<RefreshJobData>,
): Promise<object> {
  const request = requestSchema.safeParse(data);
  if (!request.success) {
    metrics.requests.inc({ integration: 'unknown', outcome: 'malformed' });
    return { outcome: 'malformed' };
  }
  const { integration } = request.data;
  const outcome = await refreshNow(engine, request.data);
  metrics.requests.inc({
    integration: engine.integrations.has(integration) ? integration : 'unknown',
    outcome,
  });
  log.info({ ...request.data, outcome }, 'refresh requested');
  return { outcome };
}
