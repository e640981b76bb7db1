import type { Logger } from 'pino';
import type { Exchange } from './exchange.ts';
import { pathTemplate } from './path-template.ts';

/**
 * Writes down who uses which credential, when it leaves for the upstream: a stream may be open for days. What came of it is in
 * the access line of the same `requestId`.
 */
export function audit(
  log: Logger,
  { requestId, agent, credentialId, credential, target, request }: Exchange,
): void {
  if (!log.isLevelEnabled('info')) return;
  log.info(
    {
      requestId,
      agent: agent.id,
      tenant: credentialId.tenantId,
      integration: credentialId.integration,
      revision: credential.revision,
      surface: target.surface,
      method: request.method,
      path: pathTemplate(target.path),
    },
    'credential used',
  );
}
