import {
  isRefusalBody,
  isTokenRefused,
  maxRefusalBytes,
  readRateLimit,
  readTokenResponse,
  Upstream,
  type Integration,
} from '@connectors/oauth';
import {
  ConnectorsError,
  connectRedis,
  CredentialCache,
  CredentialNotFoundError,
  EventSubscription,
  RateLimitError,
  readConfig,
  refreshCooldownField,
  Renewals,
  Secret,
  sendableUntil,
  type CredentialId,
  type StoredCredential,
  type UsableCredential,
  type VaultClient,
} from '@connectors/vault-core';
import type { Logger } from 'pino';
import { z } from 'zod';
import { describeClients, type OAuthClientConfig } from './oauth-clients.ts';
import { RefreshScheduler } from './refresh-scheduler.ts';
import { prepareCall, UpstreamCaller, type ProxyRequest, type UpstreamAnswer } from './upstream-call.ts';

export interface OAuthProxyOptions {
  /** Default `redis://127.0.0.1:6379`. */
  redisUrl?: string;
  /** What the names of all keys and channels in Redis begin with. Default `connectors`. */
  prefix?: string;
  /** Base URLs of integrations that are not found at `{mcpBaseUrl}/{integration}`. */
  upstreams?: Readonly<Record<string, string>>;
  /** Hosts of providers, as `host` or `host:port`, that may be private and spoken to in plain http. */
  allowHosts?: readonly string[];
  /** Where the variables of docs/configuration.md stand that say how tokens are refreshed (`REFRESH_…`, `SWEEP_…`). */
  env?: Readonly<Record<string, string | undefined>>;
  /** How long an API may take to answer, in milliseconds. Default a minute. */
  timeoutMs?: number;
  /** Default: warnings and errors, as JSON lines on standard error. */
  log?: Logger;
}

/** What an API answered. */
export interface ProxyResponse<Data> {
  status: number;
  /** By name in lower case. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The value of a JSON body, the text of a text, else the bytes; `undefined` for an empty one. */
  data: Data;
}

const freshMs = 60_000;
const staleMaxMs = 3_600_000;
const refreshWaitMs = 15_000;

/**
 * Calls the APIs of integrations with the credentials of tenants, and keeps those fresh, inside a process of yours that is trusted
 * with everything: what the proxy and the worker do, without their servers.
 *
 * ```ts
 * const proxy = new OAuthProxy(vault, 'http://mcp-servers:3000', new Map([['github', client]]));
 * await proxy.start();
 * const { data } = await proxy.proxyRequest({ tenantId: 'tenant-123', integration: 'github', method: 'GET', path: '/user' });
 * ```
 */
export class OAuthProxy {
  /** Refreshes the credentials, and tells of it. */
  readonly scheduler: RefreshScheduler;
  readonly #integrations: ReadonlyMap<string, Integration>;
  readonly #upstreams: ReadonlyMap<string, Upstream>;
  readonly #credentials: CredentialCache;
  readonly #renewals: Renewals;
  readonly #events: EventSubscription;
  readonly #caller: UpstreamCaller;

  /**
   * Connects to Redis. Close it also if it was never started.
   *
   * @param mcpBaseUrl an integration's API is below `{mcpBaseUrl}/{integration}`, unless `upstreams` names another place
   * @param clients by the name of the integration
   * @throws ConfigError with every problem
   */
  constructor(
    vault: VaultClient,
    mcpBaseUrl: string,
    clients: ReadonlyMap<string, OAuthClientConfig>,
    options: OAuthProxyOptions = {},
  ) {
    const { redisUrl = 'redis://127.0.0.1:6379', prefix = 'connectors', timeoutMs = 60_000 } = options;
    const { integrations, guard, env, connectorsYaml } = describeClients(mcpBaseUrl, clients, options);
    this.#integrations = integrations;
    this.#upstreams = new Map([...integrations].map(([id, each]) => [id, new Upstream(each, guard)]));
    this.#caller = new UpstreamCaller(guard, timeoutMs, Date.now);
    const log = options.log === undefined ? {} : { log: options.log };
    this.scheduler = new RefreshScheduler({ vault, redisUrl, prefix, env, connectorsYaml, ...log });
    const cooldown = readConfig(z.object(refreshCooldownField), env);
    this.#credentials = new CredentialCache({
      store: vault.credentials,
      freshMs,
      staleMaxMs,
      now: Date.now,
      onRead: () => undefined,
    });
    this.#renewals = new Renewals({
      credentials: this.#credentials,
      request: async ({ tenantId, integration, revision }) => {
        await this.scheduler.refreshNow(tenantId, integration, revision);
      },
      waitMs: refreshWaitMs,
      cooldownMs: cooldown.REFRESH_COOLDOWN_SECONDS * 1_000,
      now: Date.now,
      onRequest: () => undefined,
    });
    // The scheduler logs what is wrong with Redis.
    this.#events = new EventSubscription(
      connectRedis(redisUrl, 'background', () => undefined),
      prefix,
    );
    this.#hearEvents();
  }

  /** Begins to refresh, as soon as Redis can be used. Requests need not wait for it. */
  async start(): Promise<void> {
    await this.scheduler.start();
  }

  /**
   * Sends a request with the tenant's token in it. A token that is about to expire is refreshed first; one that is refused is
   * refreshed, and the request is sent once more.
   *
   * @returns what the API answered, also where that is an error of its own
   * @throws TokenExpiredError, CredentialNotFoundError: the user has to connect (again)
   * @throws RateLimitError when the API asks to wait
   * @throws ConnectorsError `invalid_request`, `integration_unknown`, `upstream_rejected_credential`,
   *   `upstream_unreachable`, `upstream_timeout`, `queue_unavailable`
   * @throws VaultError
   */
  // The caller knows what its API answers.
  // oxlint-disable-next-line typescript/no-explicit-any
  async proxyRequest<Data = any>(request: ProxyRequest): Promise<ProxyResponse<Data>> {
    const { tenantId, integration: name } = request;
    const upstream = this.#upstreams.get(name) ?? refuseIntegration(name);
    const call = prepareCall(request);
    const id = { tenantId, integration: name };
    const credential = await this.#obtain(id);
    const { tokenRefusedStatuses, tokenRefusedErrors } = upstream.provider;
    const isRefused = ({ status, headers, body }: UpstreamAnswer) =>
      isTokenRefused(
        { status, challenge: String(headers['www-authenticate'] ?? '') },
        tokenRefusedStatuses,
      ) ||
      (status < 300 && body.length <= maxRefusalBytes && isRefusalBody(textOf(body), tokenRefusedErrors));

    let answer = await this.#caller.send(call, upstream.use(id, credential));
    if (isRefused(answer)) {
      const other = await this.#renewals.replaceRejected(id, credential);
      answer = await this.#caller.send(call, upstream.use(id, other));
      if (isRefused(answer)) throw new ConnectorsError('upstream_rejected_credential');
    }
    const waitMs = readRateLimit({ ...answer, body: new Secret(textOf(answer.body)) });
    if (waitMs !== undefined) throw new RateLimitError(`${name} asks to wait`, waitMs);
    return { status: answer.status, headers: answer.headers, data: readData(answer) as Data };
  }

  /**
   * Stores what a provider's token endpoint answered, over anything stored before, and schedules the refresh.
   *
   * @param tokenResponse the answer's JSON (RFC 6749 5.1)
   * @returns the document as stored; its `metadata.revision` names this state
   * @throws ConnectorsError `integration_unknown`, or `invalid_request` if there is no access token in it
   * @throws VaultError
   */
  storeInitialCredentials(
    tenantId: string,
    integration: string,
    tokenResponse: Readonly<Record<string, unknown>>,
  ): Promise<StoredCredential> {
    const { provider, scopes } = this.#integrations.get(integration) ?? refuseIntegration(integration);
    const body = new Secret(JSON.stringify(tokenResponse));
    const result = readTokenResponse(
      provider,
      { status: 200, headers: {}, body, receivedAt: Date.now() },
      'consent',
    );
    if (result.kind === 'failure') {
      throw new ConnectorsError(
        'invalid_request',
        `The token response holds no ${provider.responseFields.accessToken}`,
      );
    }
    const { tokens } = result;
    return this.scheduler.storeCredentials(tenantId, integration, {
      accessToken: tokens.accessToken.reveal(),
      refreshToken: tokens.refreshToken?.reveal(),
      expiresAt: tokens.expiresAt,
      refreshTokenExpiresAt: tokens.refreshTokenExpiresAt,
      scopes: tokens.scopes ?? [...scopes],
      tokenType: tokens.tokenType,
      fields: tokens.fields,
      integration,
    });
  }

  /** Ends as the scheduler does; the client of Vault stays open. */
  async close(): Promise<void> {
    this.#events.close();
    this.#caller.close();
    await this.scheduler.close();
  }

  async #obtain(id: CredentialId): Promise<UsableCredential> {
    const { value } = this.#credentials.peek(id) ?? (await this.#credentials.get(id));
    if (value === null) throw new CredentialNotFoundError(id.tenantId, id.integration);
    return Date.now() < sendableUntil(value) ? value : this.#renewals.replaceExpiring(id, value);
  }

  #hearEvents(): void {
    this.#events.on('event', (event) => {
      // Before those who wait look again.
      this.#credentials.hear(event);
      this.#renewals.hear(event);
    });
    this.#events.on('gap', () => this.#credentials.hearGap());
  }
}

function refuseIntegration(name: string): never {
  throw new ConnectorsError('integration_unknown', `There is no integration ${name}`);
}

function readData({ headers, body }: UpstreamAnswer): unknown {
  if (body.length === 0) return undefined;
  const type = String(headers['content-type'] ?? '').toLowerCase();
  if (/^[^;]*[/+]json\b/.test(type)) return parseJson(textOf(body));
  return type.startsWith('text/') ? textOf(body) : body;
}

/** A body that claims to be JSON and is not is returned as text. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function textOf(body: Uint8Array): string {
  return new TextDecoder().decode(body);
}
