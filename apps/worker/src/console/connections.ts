import {
  connectMinted,
  disconnect,
  refreshDueAt,
  refreshNow,
  storeGranted,
  type MintedConnection,
  type RefreshEngine,
  type RequestOutcome,
} from '@connectors/refresh';
import { fieldProblems, type Integration, type Revocation, type TokenFailure } from '@connectors/oauth';
import {
  ConnectorsError,
  mintingGrants,
  StoredDocumentError,
  type ConnectorsEvent,
  type CredentialId,
  type EventSubscription,
  type OAuthCredentials,
  type StoredCredential,
  type VaultClient,
} from '@connectors/vault-core';
import {
  viewCredential,
  viewFailing,
  viewNeverConnected,
  viewUnreadable,
  type CredentialView,
  type RefreshOutlook,
} from './credential-view.ts';

export interface ConnectionsDeps {
  vault: VaultClient;
  engine: RefreshEngine;
  /** What all processes announce. */
  events: EventSubscription;
}

/** What became of a request to refresh a credential; `pending`: it was waited for, and is still under way. */
export interface RefreshReport {
  outcome: RequestOutcome | 'refreshed' | 'failed' | 'pending';
  credential: CredentialView;
}

export interface DisconnectReport {
  /** Whether there was a credential. */
  existed: boolean;
  /** What became of its tokens at the provider; `none`: there were none that could be ended. */
  revocation: 'ended' | 'unsupported' | 'failed' | 'none';
}

/** Tokens that an operator brings along. What is left out is as the integration says. */
export interface ImportedTokens extends Pick<OAuthCredentials, 'accessToken' | 'tokenType'> {
  refreshToken?: string | undefined;
  expiresAt?: Date | undefined;
  scopes?: string[] | undefined;
  fields?: Readonly<Record<string, string>> | undefined;
  account?: OAuthCredentials['account'];
}

/**
 * What an operator, or a tenant's user, can do with credentials: the admin API and the pages stand on it. Methods throw
 * `invalid_request` for ids that break the rule and VaultError.
 */
export class Connections {
  readonly #deps: ConnectionsDeps;

  constructor(deps: ConnectionsDeps) {
    this.#deps = deps;
  }

  /** `undefined` if the tenant never connected the integration, or disconnected it. */
  async view(id: CredentialId): Promise<CredentialView | undefined> {
    const integration = this.#deps.engine.integrations.get(id.integration);
    const stored = await this.#find(id);
    if (stored === 'unreadable') return viewUnreadable(id.integration, integration);
    if (stored === undefined) return undefined;
    const outlook = await this.#outlook(id, stored);
    return viewCredential(id.integration, integration, stored, outlook, this.#deps.engine.now());
  }

  /**
   * The credentials of a tenant, in the order of their integrations.
   *
   * @param all also the integrations that it never connected
   */
  async list(tenantId: string, { all = false } = {}): Promise<CredentialView[]> {
    const { credentials, integrations } = this.#deps.engine;
    const stored = await credentials.listIntegrations(tenantId);
    const names = all ? [...new Set([...stored, ...integrations.keys()])] : stored;
    const views = names.sort().map(async (integration) => {
      const view = stored.includes(integration) ? await this.view({ tenantId, integration }) : undefined;
      const isShown = all && integrations.has(integration);
      return view ?? (isShown ? viewNeverConnected(integration, integrations.get(integration)) : undefined);
    });
    return (await Promise.all(views)).filter((view) => view !== undefined);
  }

  /**
   * Brings the refresh of a credential forward.
   *
   * @param waitMs how long its end is waited for
   * @returns `undefined` if there is no such credential
   * @throws ConnectorsError `queue_unavailable`
   */
  async refresh(id: CredentialId, waitMs = 0): Promise<RefreshReport | undefined> {
    const { engine } = this.#deps;
    const stored = await this.#find(id);
    if (stored === undefined) return undefined;
    if (stored === 'unreadable') return { outcome: 'not_refreshable', credential: await this.#viewed(id) };
    const { tenantId, integration } = id;
    const { revision } = stored.metadata;
    const end = this.#endOf(id, waitMs);
    const outcome = await refreshNow(engine, { tenantId, integration, revision }).catch((error: unknown) => {
      end.stop();
      throw error;
    });
    if (outcome !== 'hastened' || waitMs === 0) {
      end.stop();
      return { outcome, credential: await this.#viewed(id) };
    }
    const heard = await end.heard;
    // An event is a hint, and may have got lost: what is stored decides.
    const credential = await this.#viewed(id);
    if (credential.revision !== revision) return { outcome: 'refreshed', credential };
    // It is announced before the queue counts it.
    if (heard?.type === 'refresh-retry')
      return { outcome: 'failed', credential: viewFailing(credential, heard) };
    return { outcome: credential.state === 'needs_reauth' ? 'failed' : 'pending', credential };
  }

  /** Ends a connection at its provider and here. May be repeated. */
  async disconnect(id: CredentialId): Promise<DisconnectReport> {
    const { existed, revocation } = await disconnect(this.#deps.engine, id);
    return { existed, revocation: revocation === undefined ? 'none' : revocationWords[revocation.kind] };
  }

  /**
   * Stores tokens that were granted elsewhere, over any that are stored.
   *
   * @throws ConnectorsError `integration_unknown`; `invalid_request`, naming the field
   */
  async import(
    id: CredentialId,
    tokens: ImportedTokens,
  ): Promise<{ isNew: boolean; credential: CredentialView }> {
    const { vault, engine } = this.#deps;
    const integration = this.#configured(id);
    const { provider, scopes } = integration;
    if (mintingGrants.some((grant) => grant === provider.grant))
      throw new ConnectorsError(
        'invalid_request',
        `integration: tokens of ${id.integration} are minted, not imported`,
      );
    const { fields = {} } = tokens;
    const problems = fieldProblems(provider, fields);
    if (problems.length > 0)
      throw new ConnectorsError('invalid_request', problems.map((problem) => `fields.${problem}`).join('; '));
    const hasEnded = tokens.expiresAt !== undefined && tokens.expiresAt.getTime() <= engine.now();
    if (hasEnded && tokens.refreshToken === undefined)
      throw new ConnectorsError('invalid_request', 'expiresAt: must be in the future without a refreshToken');
    const isNew = !(await engine.credentials.has(id));
    await storeGranted(vault, engine, id, {
      ...tokens,
      scopes: tokens.scopes ?? [...scopes],
      integration: id.integration,
    });
    return { isNew, credential: await this.#viewed(id) };
  }

  /**
   * Connects a tenant whose tokens are minted: asks for a first one.
   *
   * @returns why there is none, and then nothing was stored
   * @throws ConnectorsError `integration_unknown`; `invalid_request`, naming the field
   */
  async mint(
    id: CredentialId,
    connection: MintedConnection,
  ): Promise<{ kind: 'stored'; credential: CredentialView } | { kind: 'failure'; failure: TokenFailure }> {
    const minted = await connectMinted(this.#deps.vault, this.#deps.engine, id, connection);
    if (minted.kind === 'failure') return minted;
    return { kind: 'stored', credential: await this.#viewed(id) };
  }

  #configured({ integration }: CredentialId): Integration {
    const configured = this.#deps.engine.integrations.get(integration);
    if (configured === undefined) throw new ConnectorsError('integration_unknown');
    return configured;
  }

  async #viewed(id: CredentialId): Promise<CredentialView> {
    const integration = this.#deps.engine.integrations.get(id.integration);
    return (await this.view(id)) ?? viewNeverConnected(id.integration, integration);
  }

  async #find(id: CredentialId): Promise<StoredCredential | 'unreadable' | undefined> {
    try {
      return (await this.#deps.engine.credentials.find(id))?.credential;
    } catch (error) {
      if (error instanceof StoredDocumentError) return 'unreadable';
      throw error;
    }
  }

  /** Without Redis, what Vault says of it. */
  async #outlook({ tenantId, integration }: CredentialId, stored: StoredCredential): Promise<RefreshOutlook> {
    const { queues } = this.#deps.engine;
    const data = { tenantId, integration, revision: stored.metadata.revision };
    const planned = refreshDueAt(data, stored);
    try {
      const job = await queues.find(data);
      const failures = job?.attemptsMade ?? 0;
      const reason = failures > 0 ? job?.failedReason : undefined;
      return { failures, reason, dueAt: (await queues.dueAt(data)) ?? planned };
    } catch {
      return { failures: 0, dueAt: planned };
    }
  }

  /** The first event that tells how a refresh ended, unless it takes longer. */
  #endOf({ tenantId, integration }: CredentialId, waitMs: number) {
    const { events } = this.#deps;
    const { promise: heard, resolve } = Promise.withResolvers<ConnectorsEvent | undefined>();
    const hear = (event: ConnectorsEvent) => {
      const isIts =
        'integration' in event && event.tenantId === tenantId && event.integration === integration;
      if (isIts && event.type !== 'refresh-declined') resolve(event);
    };
    const timer = setTimeout(() => resolve(undefined), waitMs);
    events.on('event', hear);
    const stop = () => {
      clearTimeout(timer);
      events.off('event', hear);
      resolve(undefined);
    };
    void heard.then(stop);
    return { heard, stop };
  }
}

const revocationWords = {
  revoked: 'ended',
  unsupported: 'unsupported',
  failed: 'failed',
} as const satisfies Record<Revocation['kind'], string>;
