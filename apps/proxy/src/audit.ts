import type { WriteLine } from '@connectors/vault-core';
import type { Exchange } from './exchange.ts';
import { pathTemplate } from './path-template.ts';

/**
 * Writes down who uses which credential, when it leaves for the upstream: a stream may be open for days. What came of it is in
 * the access line of the same `requestId`.
 */
export function audit(
  write: WriteLine | undefined,
  { requestId, agent, credentialId, credential, target, request }: Exchange,
): void {
  write?.({
    requestId,
    agent: agent.id,
    tenant: credentialId.tenantId,
    integration: credentialId.integration,
    revision: credential.revision,
    surface: target.surface,
    method: request.method,
    path: pathTemplate(target.path),
  });
}
