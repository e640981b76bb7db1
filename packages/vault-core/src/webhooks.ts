import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { ConnectorsError } from './errors.ts';
import { checkId, isId, newDocumentId } from './ids.ts';
import { rotateIn } from './overlap.ts';
import { Secret } from './secret.ts';
import { readStored } from './stored-document.ts';
import type { KvEngine } from './vault/kv.ts';
import type { TransitEngine } from './vault/transit.ts';
import { VaultError } from './vault/vault-error.ts';

/** The types of messages that a tenant's endpoints can get. */
export const webhookEventTypes = [
  'refresh-success',
  'refresh-failed',
  'refresh-retry',
  'needs_reauth',
  'connected',
  'connect-failed',
] as const;

export type WebhookEventType = (typeof webhookEventTypes)[number];

const time = z.iso.datetime();

const endpointSchema = z.object({
  id: z.string(),
  url: z.string(),
  /** Strings, since a newer version of ours may know more types. */
  events: z.array(z.string()),
  description: z.string().optional(),
  enabled: z.boolean(),
  createdAt: time,
  updatedAt: time,
  /** When the first of the deliveries was made that were all given up; gone with the next one that arrives. */
  failingSince: time.optional(),
  /** Why it was switched off by us: it said 410, or failed for days. */
  disabledReason: z.enum(['gone', 'failing']).optional(),
  /** Ciphertexts of `transit-refresh`, the newest first. */
  secrets: z.array(z.object({ ciphertext: z.string(), expiresAt: time.optional() })).min(1),
});

const documentSchema = z.object({ endpoints: z.array(endpointSchema) });

/** An address to which a tenant's webhooks go, as stored. */
export type WebhookEndpoint = z.infer<typeof endpointSchema>;

/** What an operator decides about an endpoint. */
export interface WebhookSettings {
  url: string;
  events: WebhookEventType[];
  description?: string | undefined;
  enabled: boolean;
}

/** An endpoint and its new secret, `whsec_…`, which is shown once: nothing can bring it back. */
export interface EndpointWithSecret {
  endpoint: WebhookEndpoint;
  secret: Secret;
}

const maxEndpoints = 10;

/**
 * The webhook endpoints of tenants: one document per tenant at `_webhooks/{tenantId}`, the secrets in it encrypted under the
 * tenant's refresh key and bound to tenant and endpoint. Methods throw `invalid_request` for ids that break the rule,
 * VaultError when Vault cannot be used, and StoredDocumentError.
 */
export class WebhookStore {
  readonly #kv: KvEngine;
  readonly #transit: TransitEngine;
  readonly #now: () => number;

  constructor(kv: KvEngine, transit: TransitEngine, now: () => number) {
    this.#kv = kv;
    this.#transit = transit;
    this.#now = now;
  }

  /** All tenants that ever had an endpoint. */
  async listTenants(): Promise<string[]> {
    return (await this.#kv.list('_webhooks')).filter(isId);
  }

  async list(tenantId: string): Promise<WebhookEndpoint[]> {
    return (await this.#read(tenantId)).endpoints;
  }

  async find(tenantId: string, endpointId: string): Promise<WebhookEndpoint | undefined> {
    return byId(await this.list(tenantId), endpointId);
  }

  /**
   * @param id that nobody has
   * @throws ConnectorsError `invalid_request` when the tenant has as many as it may have
   */
  async create(
    tenantId: string,
    settings: WebhookSettings,
    id = newDocumentId(),
  ): Promise<EndpointWithSecret> {
    await this.#transit.ensureKey(checkId('tenantId', tenantId));
    const { secret, ciphertext } = await this.#newSecret(tenantId, id);
    const now = this.#timestamp();
    const endpoint = { ...settings, id, createdAt: now, updatedAt: now, secrets: [{ ciphertext }] };
    await this.#change(tenantId, (endpoints) => {
      // An earlier try of this write landed, and its answer was lost.
      if (byId(endpoints, id) !== undefined) return endpoints;
      if (endpoints.length >= maxEndpoints)
        throw new ConnectorsError(
          'invalid_request',
          `A tenant has at most ${maxEndpoints} webhook endpoints`,
        );
      return [...endpoints, endpoint];
    });
    return { endpoint, secret };
  }

  /** `undefined` if the tenant has no such endpoint. */
  update(
    tenantId: string,
    endpointId: string,
    settings: Partial<WebhookSettings>,
  ): Promise<WebhookEndpoint | undefined> {
    return this.#edit(tenantId, endpointId, (stored) => {
      const { failingSince: _past, disabledReason: _why, ...clean } = stored;
      // Another address, or a switch that somebody turns, is a new beginning.
      const isNew = settings.url !== undefined || settings.enabled !== undefined;
      return { ...(isNew ? clean : stored), ...settings, updatedAt: this.#timestamp() };
    });
  }

  /**
   * Makes a new secret. Those before sign beside it for `overlapMs` more, or for what is left to them, so that a receiver can change
   * at its ease.
   */
  async rotateSecret(
    tenantId: string,
    endpointId: string,
    overlapMs: number,
  ): Promise<EndpointWithSecret | undefined> {
    if ((await this.find(tenantId, endpointId)) === undefined) return undefined;
    const { secret, ciphertext } = await this.#newSecret(tenantId, endpointId);
    const now = this.#now();
    const endpoint = await this.#edit(tenantId, endpointId, (stored) => {
      // An earlier try of this write landed, and its answer was lost.
      if (stored.secrets.some((known) => known.ciphertext === ciphertext)) return stored;
      const secrets = rotateIn({ ciphertext }, stored.secrets, now + overlapMs, now);
      return { ...stored, secrets, updatedAt: this.#timestamp() };
    });
    return endpoint && { endpoint, secret };
  }

  /** Says whether there was one. What earlier versions of the document hold of it is destroyed. */
  async delete(tenantId: string, endpointId: string): Promise<boolean> {
    let isFound = false;
    const version = await this.#change(tenantId, (endpoints) => {
      isFound ||= byId(endpoints, endpointId) !== undefined;
      return endpoints.filter(({ id }) => id !== endpointId);
    });
    if (isFound) await this.#kv.destroyVersions(pathOf(tenantId), version - 1);
    return isFound;
  }

  /** Deletes all endpoints of a tenant, with their history. */
  async deleteAll(tenantId: string): Promise<void> {
    await this.#kv.forget(pathOf(tenantId));
  }

  /** The secrets that sign a delivery now, the newest first. */
  async secrets(tenantId: string, endpoint: WebhookEndpoint): Promise<Secret[]> {
    const key = checkId('tenantId', tenantId);
    const valid = endpoint.secrets.filter(
      ({ expiresAt }) => expiresAt === undefined || Date.parse(expiresAt) > this.#now(),
    );
    return Promise.all(
      valid.map(({ ciphertext }) => this.#transit.decrypt(key, ciphertext, contextOf(tenantId, endpoint.id))),
    );
  }

  /** A delivery arrived: the endpoint works. */
  async markWorking(tenantId: string, endpointId: string): Promise<void> {
    await this.#edit(tenantId, endpointId, ({ failingSince: _past, ...stored }) => stored);
  }

  /** A delivery was given up; `since` is when it was first tried. An earlier mark stays. */
  async markFailing(tenantId: string, endpointId: string, since: Date): Promise<WebhookEndpoint | undefined> {
    return this.#edit(tenantId, endpointId, (stored) => ({
      ...stored,
      failingSince: stored.failingSince ?? since.toISOString(),
    }));
  }

  /** Switches an endpoint off, and says why. */
  async disable(tenantId: string, endpointId: string, disabledReason: 'gone' | 'failing'): Promise<void> {
    await this.#edit(tenantId, endpointId, (stored) => ({ ...stored, enabled: false, disabledReason }));
  }

  async #newSecret(tenantId: string, endpointId: string): Promise<{ secret: Secret; ciphertext: string }> {
    const secret = new Secret(`whsec_${randomBytes(32).toString('base64')}`);
    const ciphertext = await this.#transit.encrypt(
      checkId('tenantId', tenantId),
      secret,
      contextOf(tenantId, endpointId),
    );
    return { secret, ciphertext };
  }

  /** Changes one endpoint; `undefined` if there is none. */
  async #edit(
    tenantId: string,
    endpointId: string,
    edit: (stored: WebhookEndpoint) => WebhookEndpoint,
  ): Promise<WebhookEndpoint | undefined> {
    let changed: WebhookEndpoint | undefined;
    await this.#change(tenantId, (endpoints) => {
      changed = undefined;
      return endpoints.map((stored) => (stored.id === endpointId ? (changed = edit(stored)) : stored));
    });
    return changed;
  }

  /**
   * Changes a tenant's document, over and over until nobody else has changed it meanwhile.
   *
   * @param change is safe to repeat: an earlier try of its write may have landed and its answer been lost
   * @returns the version that holds the change
   */
  async #change(
    tenantId: string,
    change: (endpoints: WebhookEndpoint[]) => WebhookEndpoint[],
  ): Promise<number> {
    for (;;) {
      const { endpoints, version } = await this.#read(tenantId);
      const changed = change(endpoints);
      if (JSON.stringify(changed) === JSON.stringify(endpoints)) return version;
      try {
        return await this.#kv.write(pathOf(tenantId), { endpoints: changed }, version);
      } catch (error) {
        if (!(error instanceof VaultError && error.reason === 'cas_mismatch')) throw error;
      }
    }
  }

  async #read(tenantId: string): Promise<{ endpoints: WebhookEndpoint[]; version: number }> {
    const path = pathOf(tenantId);
    const document = await this.#kv.read(path);
    if (document?.data === undefined) return { endpoints: [], version: document?.version ?? 0 };
    return { ...readStored(documentSchema, path, document.data), version: document.version };
  }

  #timestamp(): string {
    return new Date(this.#now()).toISOString();
  }
}

function byId(endpoints: WebhookEndpoint[], id: string): WebhookEndpoint | undefined {
  return endpoints.find((endpoint) => endpoint.id === id);
}

function pathOf(tenantId: string): string {
  return `_webhooks/${checkId('tenantId', tenantId)}`;
}

/** What a secret's ciphertext is bound to. */
function contextOf(tenantId: string, endpointId: string): string {
  return `${pathOf(tenantId)}/${endpointId}/secret`;
}
