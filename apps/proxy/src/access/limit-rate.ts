import { RateLimitError } from '@connectors/vault-core';
import type { Exchange } from '../exchange.ts';
import type { ProxyParts } from '../pipeline.ts';

/** The tenant has not sent more requests than it may, over all of its agents and all replicas. */
export function limitRate({ credentialId }: Exchange, { rates }: ProxyParts): void {
  if (rates === undefined) return;
  const waitMs = rates.take(credentialId.tenantId);
  if (waitMs > 0) throw new RateLimitError(`Tenant ${credentialId.tenantId} sends too many requests`, waitMs);
}
