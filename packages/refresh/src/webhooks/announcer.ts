import { ConnectorsError, type ConnectorsEvent, type WebhookStore } from '@connectors/vault-core';
import type { Logger } from 'pino';
import { webhookMessages } from './message.ts';
import type { WebhookMetrics } from './metrics.ts';
import type { WebhookQueue } from './queue.ts';

export interface AnnouncerOptions {
  store: Pick<WebhookStore, 'listTenants'>;
  queue: Pick<WebhookQueue, 'addMessages'>;
  /** What links for users begin with. */
  consoleUrl: string | undefined;
  metrics: Pick<WebhookMetrics, 'webhooksLost'>;
  log: Logger;
  now: () => number;
}

/** How long a list of tenants holds, in milliseconds. */
const maxAgeMs = 60_000;
/** After a failure Vault is not asked again for this long. */
const quietMs = 5_000;

/**
 * Turns events into webhooks. A refresh of a tenant without endpoints must cost nothing for it: who has endpoints is one
 * list for all tenants, read once a minute, and beside that heard of as events. A tenant that is on it wrongly costs a
 * job that finds nothing to do.
 */
export class WebhookAnnouncer {
  readonly #options: AnnouncerOptions;
  #tenants: Set<string> | undefined;
  #askAgainAt = -Infinity;
  #reading: Promise<void> | undefined;
  /** Heard of while a list was being read, which may not name them. */
  #heard = new Set<string>();

  constructor(options: AnnouncerOptions) {
    this.#options = options;
  }

  /** Queues what an event means to its tenant. Never throws: a refresh does not fail for it. */
  async announce(event: ConnectorsEvent): Promise<void> {
    const { queue, consoleUrl, metrics, log, now } = this.#options;
    const messages = webhookMessages(event, now(), consoleUrl);
    if (messages.length === 0 || !('tenantId' in event)) return;
    const { type, tenantId } = event;
    try {
      if (await this.#hasEndpoints(tenantId)) await queue.addMessages(tenantId, messages);
    } catch (error) {
      metrics.webhooksLost.inc(messages.length);
      log.error({ tenantId, type, err: error }, 'webhooks could not be queued');
    }
  }

  /** Takes note of an event that another process announced. */
  hear(event: ConnectorsEvent): void {
    if (event.type !== 'webhooks-changed') return;
    this.#tenants?.add(event.tenantId);
    this.#heard.add(event.tenantId);
  }

  /** Events may have been missed: reads the list again. */
  refresh(): void {
    this.#askAgainAt = -Infinity;
    this.#read().catch(() => undefined);
  }

  async #hasEndpoints(tenantId: string): Promise<boolean> {
    if (this.#options.now() >= this.#askAgainAt) {
      const reading = this.#read();
      // The first list is waited for; later the last one serves until the next is there.
      if (this.#tenants === undefined) await reading;
      else reading.catch(() => undefined);
    }
    if (this.#tenants === undefined) throw new ConnectorsError('vault_unavailable');
    return this.#tenants.has(tenantId);
  }

  #read(): Promise<void> {
    this.#reading ??= this.#readList().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  async #readList(): Promise<void> {
    const { store, now } = this.#options;
    this.#heard = new Set();
    try {
      this.#tenants = new Set([...(await store.listTenants()), ...this.#heard]);
      this.#askAgainAt = now() + maxAgeMs;
    } catch (error) {
      this.#askAgainAt = now() + quietMs;
      throw error;
    }
  }
}
