import { z } from 'zod';
import { StoredDocumentError } from './errors.ts';
import { checkId, isId } from './ids.ts';
import type { Secret } from './secret.ts';
import { readStored } from './stored-document.ts';
import type { KvEngine } from './vault/kv.ts';
import type { TransitEngine } from './vault/transit.ts';
import { VaultError } from './vault/vault-error.ts';

/** The operator's OAuth client at a provider: what `{ID}_CLIENT_ID` and its like hold in the environment. */
export interface OAuthClient {
  clientId: string;
  /** Absent for public clients, and those that sign with their key. */
  clientSecret?: Secret;
  /** The private key in PEM that signs the client's assertions. */
  clientKey?: Secret;
  /** What the provider calls that key (`kid`). */
  clientKeyId?: string;
}

/** The document at `_clients/{integration}`. */
const documentSchema = z.strictObject({
  clientId: z.string().min(1),
  /** This and the key: ciphertexts of `transit-refresh`. */
  clientSecret: z.string().exactOptional(),
  clientKey: z.string().exactOptional(),
  clientKeyId: z.string().exactOptional(),
  updatedAt: z.iso.datetime(),
});

type ClientDocument = z.infer<typeof documentSchema>;

/** A stored client without its secrets. */
export interface ClientSummary {
  integration: string;
  clientId: string;
  hasSecret: boolean;
  hasKey: boolean;
  clientKeyId?: string;
  updatedAt: string;
}

/** A client, and the time of its document: another time means that it was set again. */
export interface KeptClient extends OAuthClient {
  updatedAt: string;
}

/** The transit key of all clients. No tenant can have this name. */
const keyName = '_clients';

/**
 * The OAuth clients that are kept in Vault rather than in the environment, one document per integration. Methods throw
 * `invalid_request` for ids that break the rule, VaultError when Vault cannot be used, and StoredDocumentError.
 */
export class ClientStore {
  readonly #kv: KvEngine;
  readonly #transit: TransitEngine;
  readonly #now: () => number;

  constructor(kv: KvEngine, transit: TransitEngine, now: () => number) {
    this.#kv = kv;
    this.#transit = transit;
    this.#now = now;
  }

  /** All clients with their secrets, and the integrations whose document or ciphertexts are not as they should be. */
  async readAll(): Promise<{ clients: Map<string, KeptClient>; unreadable: string[] }> {
    const { found, unreadable } = await this.#readEach(async (integration) => {
      const document = await this.#read(integration);
      return document && ([integration, await this.#open(integration, document)] as const);
    });
    return { clients: new Map(found), unreadable };
  }

  /** All clients without their secrets, and the integrations whose documents are not as they should be. */
  async list(): Promise<{ clients: ClientSummary[]; unreadable: string[] }> {
    const { found, unreadable } = await this.#readEach((integration) => this.find(integration));
    return { clients: found, unreadable };
  }

  async find(integration: string): Promise<ClientSummary | undefined> {
    const document = await this.#read(integration);
    return document && summaryOf(integration, document);
  }

  /** Keeps a client in place of the one before, of which nothing is left. */
  async set(integration: string, client: OAuthClient): Promise<ClientSummary> {
    const path = pathOf(integration);
    await this.#transit.ensureKey(keyName);
    const seal = async (field: 'clientSecret' | 'clientKey') => {
      const value = client[field];
      if (value === undefined) return {};
      return { [field]: await this.#transit.encrypt(keyName, value, contextOf(integration, field)) };
    };
    const document: ClientDocument = {
      clientId: client.clientId,
      ...(await seal('clientSecret')),
      ...(await seal('clientKey')),
      ...(client.clientKeyId === undefined ? {} : { clientKeyId: client.clientKeyId }),
      updatedAt: new Date(this.#now()).toISOString(),
    };
    const version = await this.#write(path, document);
    await this.#kv.destroyVersions(path, version - 1);
    return summaryOf(integration, document);
  }

  /** Forgets a client with its history. Says whether there was one. */
  async delete(integration: string): Promise<boolean> {
    return this.#kv.remove(pathOf(integration));
  }

  /** One that is not as it should be does not keep the others from being read. */
  async #readEach<T>(
    read: (integration: string) => Promise<T | undefined>,
  ): Promise<{ found: T[]; unreadable: string[] }> {
    const found: T[] = [];
    const unreadable: string[] = [];
    for (const integration of (await this.#kv.list('_clients')).filter(isId)) {
      try {
        const client = await read(integration);
        if (client !== undefined) found.push(client);
      } catch (error) {
        if (!isDamage(error)) throw error;
        unreadable.push(integration);
      }
    }
    return { found, unreadable };
  }

  async #read(integration: string): Promise<ClientDocument | undefined> {
    const path = pathOf(integration);
    const data = (await this.#kv.read(path))?.data;
    return data === undefined ? undefined : readStored(documentSchema, path, data);
  }

  async #open(integration: string, { clientId, clientKeyId, updatedAt, ...sealed }: ClientDocument) {
    const open = async (field: 'clientSecret' | 'clientKey') => {
      const ciphertext = sealed[field];
      if (ciphertext === undefined) return {};
      return { [field]: await this.#transit.decrypt(keyName, ciphertext, contextOf(integration, field)) };
    };
    const kept: KeptClient = {
      clientId,
      ...(await open('clientSecret')),
      ...(await open('clientKey')),
      ...(clientKeyId === undefined ? {} : { clientKeyId }),
      updatedAt,
    };
    return kept;
  }

  /** The document is written whole, so that of two writers the later one wins. */
  async #write(path: string, document: ClientDocument): Promise<number> {
    for (;;) {
      const version = (await this.#kv.read(path))?.version ?? 0;
      try {
        return await this.#kv.write(path, document, version);
      } catch (error) {
        if (!(error instanceof VaultError && error.reason === 'cas_mismatch')) throw error;
      }
    }
  }
}

function summaryOf(integration: string, document: ClientDocument): ClientSummary {
  const { clientId, clientKeyId, updatedAt } = document;
  return {
    integration,
    clientId,
    hasSecret: document.clientSecret !== undefined,
    hasKey: document.clientKey !== undefined,
    ...(clientKeyId === undefined ? {} : { clientKeyId }),
    updatedAt,
  };
}

function isDamage(error: unknown): boolean {
  if (error instanceof StoredDocumentError) return true;
  return error instanceof VaultError && ['key_not_found', 'rejected'].includes(error.reason);
}

function pathOf(integration: string): string {
  return `_clients/${checkId('integration', integration)}`;
}

/** What a ciphertext is bound to. */
function contextOf(integration: string, field: string): string {
  return `${pathOf(integration)}/${field}`;
}
