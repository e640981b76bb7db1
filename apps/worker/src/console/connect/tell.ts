import type { ConnectorsEvent } from '@connectors/vault-core';
import type { Ending } from './callback.ts';
import type { ConnectOptions } from './connect.ts';
import type { FlowOwner } from './connect-states.ts';

/** Tells how a flow ended: log, figures and event, of ids and codes. */
export async function tell(
  { engine, log, onConnect }: ConnectOptions,
  { tenantId, integration, connectSession }: FlowOwner,
  id: string,
  ending: Ending,
): Promise<void> {
  const about = {
    tenantId,
    integration,
    flow: id,
    ...(connectSession === undefined ? {} : { connectSession }),
  };
  if (ending.kind === 'failed') {
    const { code, reason } = ending;
    log.warn({ ...about, reason: reason ?? code }, 'connect failed');
    onConnect(integration, code);
    return engine.announce({ type: 'connect-failed', ...about, error: code });
  }
  const { warnings, credential } = ending;
  const event: ConnectorsEvent = {
    type: 'connected',
    ...about,
    revision: credential.metadata.revision,
    warnings,
  };
  log.info({ ...about, warnings }, 'connected');
  onConnect(integration, 'connected');
  return engine.announce(event);
}
