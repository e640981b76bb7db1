import { createHash } from 'node:crypto';
import {
  connectUrl,
  encodeBase32,
  type ConnectorsEvent,
  type RefreshJobData,
  type WebhookEventType,
} from '@connectors/vault-core';

/** What an endpoint is told, apart from its signature: ids, times and codes. It goes through Redis as it is. */
export interface WebhookMessage {
  /** The same for every delivery and every try. */
  id: string;
  type: WebhookEventType | 'test';
  /** When it happened. */
  timestamp: string;
  data: Readonly<Record<string, string | number | readonly string[]>>;
}

/**
 * What an event of ours means to a tenant; nothing, for most of them.
 *
 * An event that is announced again, after a crash, has the ids that it had: whoever got it knows it.
 *
 * @param consoleUrl begins the link under which the user connects again; without it none is told
 */
export function webhookMessages(
  event: ConnectorsEvent,
  now: number,
  consoleUrl: string | undefined,
): WebhookMessage[] {
  const timestamp = new Date(now).toISOString();
  switch (event.type) {
    case 'refresh-success': {
      const { expiresAt } = event;
      return [message(event.type, event, timestamp, expiresAt === undefined ? {} : { expiresAt })];
    }
    case 'refresh-retry':
      return [message(event.type, event, timestamp, { error: event.error, retryCount: event.retryCount })];
    case 'refresh-failed': {
      const link = consoleUrl === undefined ? {} : { connectUrl: connectUrl(consoleUrl, event) };
      return [
        message(event.type, event, timestamp, { error: event.error }),
        message('needs_reauth', event, timestamp, { reason: event.error, ...link }),
      ];
    }
    case 'connected': {
      const { warnings } = event;
      return [message(event.type, event, timestamp, { warnings, ...connectSessionOf(event) })];
    }
    case 'connect-failed':
      return [connectFailed(event, timestamp)];
    case 'credential-stored':
    case 'credential-deleted':
    case 'refresh-declined':
    case 'agent-changed':
    case 'webhooks-changed':
      return [];
  }
}

function message(
  type: WebhookEventType,
  about: RefreshJobData,
  timestamp: string,
  more: WebhookMessage['data'],
): WebhookMessage {
  const { tenantId, integration, revision } = about;
  // A revision has many retries, and their count begins anew when its job does.
  const words = [type, tenantId, integration, revision, ...(type === 'refresh-retry' ? [timestamp] : [])];
  return { id: messageId(words), type, timestamp, data: { tenantId, integration, revision, ...more } };
}

/** There may be no credential, and so no revision: the flow names it. */
function connectFailed(
  event: Extract<ConnectorsEvent, { type: 'connect-failed' }>,
  timestamp: string,
): WebhookMessage {
  const { type, tenantId, integration, error, flow } = event;
  const data = { tenantId, integration, error, ...connectSessionOf(event) };
  return { id: messageId([type, tenantId, integration, flow]), type, timestamp, data };
}

function connectSessionOf({ connectSession }: { connectSession?: string | undefined }) {
  return connectSession === undefined ? {} : { connectSession };
}

/** Says nothing but that it arrived. */
export function testMessage(tenantId: string, endpointId: string, now: number): WebhookMessage {
  const timestamp = new Date(now).toISOString();
  const id = messageId(['test', tenantId, endpointId, timestamp]);
  return { id, type: 'test', timestamp, data: { tenantId, endpointId } };
}

/** The same for the same words. */
function messageId(words: string[]): string {
  return `msg_${encodeBase32(createHash('sha256').update(words.join('/')).digest().subarray(0, 20))}`;
}
