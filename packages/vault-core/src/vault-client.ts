import { AgentStore } from './agents.ts';
import { ClientStore } from './clients.ts';
import {
  newMetadata,
  DecryptedCredentials,
  type OAuthCredentials,
  type SealedField,
  type StoredCredential,
} from './credential.ts';
import { CredentialStore } from './credential-store.ts';
import { ConnectorsError } from './errors.ts';
import { checkId } from './ids.ts';
import { Secret } from './secret.ts';
import { VaultConnection } from './vault/connection.ts';
import { KvEngine } from './vault/kv.ts';
import type { VaultAuth } from './vault/login.ts';
import { TransitEngine, type DataKey } from './vault/transit.ts';
import { WebhookStore } from './webhooks.ts';

export interface VaultClientOptions {
  /** For example `https://vault.example.com:8200`. */
  address: string;
  /** A Vault token; or use `appRole`. */
  token?: string;
  /** The secret id may be a function, asked at every login, so that a rotated one is picked up. */
  appRole?: { roleId: string; secretId: string | (() => string | Promise<string>) };
  /** Mount of the Transit engine for access tokens. Default `transit`. */
  transitEngine?: string;
  /** Mount of the Transit engine for refresh tokens. Default `transit-refresh`. */
  refreshTransitEngine?: string;
  /** Mount of the KV v2 engine. Default `secret`. */
  kvEngine?: string;
  /** Milliseconds for one call to Vault. Default 5000. */
  timeout?: number;
  /** How often a call is repeated after a transient failure. Default 3. */
  maxRetries?: number;
  /** PEM file with the CA of Vault's certificate. */
  caFile?: string;
  now?: () => number;
}

/** Where data keys come from, and how to get one back. */
export interface DataKeys {
  create(): Promise<DataKey>;
  open(wrapped: string): Promise<Buffer>;
}

/**
 * Stores and reads OAuth credentials in Vault, each tenant's tokens encrypted under that tenant's keys.
 *
 * ```ts
 * const vault = new VaultClient({ address: 'http://localhost:8200', token: 'dev-root-token' });
 * await vault.storeCredentials('tenant-123', 'github', credentials);
 * const { accessToken } = await vault.getCredentials('tenant-123', 'github');
 * ```
 *
 * Methods throw `invalid_request` for ids that break the rule, VaultError when Vault cannot be used.
 */
export class VaultClient {
  /** The documents behind the methods below, for those who claim, rotate and sweep. */
  readonly credentials: CredentialStore;
  readonly agents: AgentStore;
  readonly webhooks: WebhookStore;
  readonly clients: ClientStore;
  /** Data keys for the spool. */
  readonly spoolKeys: DataKeys;
  readonly #connection: VaultConnection;
  readonly #now: () => number;

  constructor(options: VaultClientOptions) {
    this.#now = options.now ?? Date.now;
    this.#connection = new VaultConnection({
      address: options.address,
      auth: authOf(options),
      now: this.#now,
      ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
      ...(options.maxRetries === undefined ? {} : { maxRetries: options.maxRetries }),
      ...(options.caFile === undefined ? {} : { caFile: options.caFile }),
    });
    const kv = new KvEngine(this.#connection, options.kvEngine ?? 'secret');
    this.agents = new AgentStore(kv, this.#now);
    const refresh = new TransitEngine(this.#connection, options.refreshTransitEngine ?? 'transit-refresh');
    this.credentials = new CredentialStore({
      kv,
      access: new TransitEngine(this.#connection, options.transitEngine ?? 'transit'),
      refresh,
    });
    this.webhooks = new WebhookStore(kv, refresh, this.#now);
    this.clients = new ClientStore(kv, refresh, this.#now);
    this.spoolKeys = {
      create: () => refresh.createDataKey('_spool'),
      open: (wrapped) => refresh.openDataKey('_spool', wrapped),
    };
  }

  /**
   * Stores what a user just granted, over anything stored before.
   *
   * @returns the document as stored; its `metadata.revision` names this state
   */
  async storeCredentials(
    tenantId: string,
    integration: string,
    granted: OAuthCredentials,
    createdBy = 'oauth-proxy',
  ): Promise<StoredCredential> {
    const id = { tenantId, integration };
    checkId('integration', integration);
    await this.credentials.ensureKeys(tenantId);
    const seal = (field: SealedField, text: string | undefined) =>
      text === undefined ? undefined : this.credentials.encrypt(id, field, new Secret(text));
    const [accessToken, refreshToken, grantSecret] = await Promise.all([
      this.credentials.encrypt(id, 'accessToken', new Secret(granted.accessToken)),
      seal('refreshToken', granted.refreshToken),
      seal('grantSecret', granted.grantSecret),
    ]);
    const { grant, fields, account, expiresAt, refreshTokenExpiresAt } = granted;
    const credential: StoredCredential = {
      accessToken,
      ...(refreshToken === undefined ? {} : { refreshToken }),
      ...(grantSecret === undefined ? {} : { grantSecret }),
      ...(expiresAt === undefined ? {} : { expiresAt: expiresAt.toISOString() }),
      scopes: granted.scopes,
      tokenType: granted.tokenType,
      metadata: {
        ...newMetadata(integration, createdBy, new Date(this.#now())),
        ...(refreshTokenExpiresAt === undefined
          ? {}
          : { refreshTokenExpiresAt: refreshTokenExpiresAt.toISOString() }),
        ...(grant === undefined ? {} : { grant }),
        ...(fields === undefined ? {} : { fields: { ...fields } }),
        ...(account === undefined ? {} : { account }),
      },
    };
    await this.credentials.replace(id, credential);
    return credential;
  }

  /** @throws CredentialNotFoundError */
  async getCredentials(tenantId: string, integration: string): Promise<DecryptedCredentials> {
    const id = { tenantId, integration };
    const { credential } = await this.credentials.get(id);
    const [accessToken, refreshToken] = await Promise.all([
      this.credentials.decryptAccessToken(id, credential),
      this.credentials.decryptRefreshToken(id, credential),
    ]);
    return new DecryptedCredentials(credential, accessToken, refreshToken);
  }

  /** Deletes a credential and destroys all its versions. Says whether there was one. */
  async deleteCredentials(tenantId: string, integration: string): Promise<boolean> {
    return (await this.credentials.delete({ tenantId, integration })) !== undefined;
  }

  /** The integrations that a tenant has connected. */
  async listCredentials(tenantId: string): Promise<string[]> {
    const integrations = await this.credentials.listIntegrations(tenantId);
    const stored = await Promise.all(
      integrations.map((integration) => this.credentials.has({ tenantId, integration })),
    );
    return integrations.filter((_, index) => stored[index]);
  }

  /** Whether Vault is initialised, unsealed and answering within a second. Never throws. */
  healthCheck(): Promise<boolean> {
    return this.#connection.isHealthy();
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

function authOf({ token, appRole }: VaultClientOptions): VaultAuth {
  if (appRole !== undefined) {
    const { roleId, secretId } = appRole;
    return {
      roleId,
      secretId: async () => new Secret(typeof secretId === 'function' ? await secretId() : secretId),
    };
  }
  if (token !== undefined) return { token: new Secret(token) };
  throw new ConnectorsError('invalid_request', 'VaultClient needs `token` or `appRole`');
}
