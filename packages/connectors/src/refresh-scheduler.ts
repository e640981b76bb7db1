import { EventEmitter, once } from 'node:events';
import { integrationFields, readIntegrations } from '@connectors/oauth';
import {
  createRefreshMetrics,
  disconnect,
  openEngine,
  refreshFields,
  refreshNow,
  refreshRule,
  refreshSettings,
  storeGranted,
  type Disconnection,
  type OpenEngine,
  type RequestOutcome,
} from '@connectors/refresh';
import {
  baseUrl,
  connectRedis,
  createLogger,
  describeError,
  EventSubscription,
  readConfig,
  redisFields,
  VaultClient,
  type ConnectorsEvent,
  type OAuthCredentials,
  type RefreshJobData,
  type StoredCredential,
  type VaultClientOptions,
} from '@connectors/vault-core';
import type { Redis } from 'ioredis';
import { pino, type Logger } from 'pino';
import { z } from 'zod';

export interface RefreshSchedulerOptions {
  /** A client of yours, which stays open, or the options for one of the scheduler's own. */
  vault: VaultClient | VaultClientOptions;
  /** For example `redis://127.0.0.1:6379`. */
  redisUrl: string;
  /** What the names of all keys and channels in Redis begin with. Default `connectors`. */
  prefix?: string;
  /**
   * Where the variables of docs/configuration.md stand that say which integrations there are, what may be reached for
   * them, how they are refreshed, and where users find the console (`CONSOLE_URL`); most often `process.env`.
   */
  env: Readonly<Record<string, string | undefined>>;
  /** The text of `connectors.yaml`, in place of the file that `CONNECTORS_CONFIG` names. */
  connectorsYaml?: string;
  /** Default: warnings and errors, as JSON lines on standard error. */
  log?: Logger;
}

/** An event names a state of a credential. `error` is a code, such as `invalid_grant`, and never a provider's text. */
export interface RefreshSchedulerEvents {
  /** New tokens are stored. Without `expiresAt` the provider names no end. */
  'refresh-success': [event: RefreshJobData & { expiresAt: Date | undefined }];
  /** The refresh token is dead: nothing is tried again until the user has connected anew. */
  'refresh-failed': [event: RefreshJobData & { error: string }];
  /** A refresh failed for now, the `retryCount`th time in a row, and is tried again. */
  'refresh-retry': [event: RefreshJobData & { error: string; retryCount: number }];
}

const optionFields = { redisUrl: redisFields.REDIS_URL, prefix: redisFields.REDIS_PREFIX };
const consoleUrl = { CONSOLE_URL: baseUrl().optional() };
const schema = z.object({ ...optionFields, ...consoleUrl, ...integrationFields, ...refreshFields });

/**
 * Keeps every credential in Vault fresh, inside a process of yours: what a worker does, without its console. Any number
 * of schedulers and workers may share a Vault and a Redis, and then share the work.
 *
 * ```ts
 * const scheduler = new RefreshScheduler({ vault, redisUrl: 'redis://localhost:6379', env: process.env });
 * scheduler.on('refresh-failed', ({ tenantId, integration, error }) => alert(tenantId, integration, error));
 * await scheduler.start();
 * ```
 *
 * Each scheduler emits every event of the deployment once, whichever process did the refresh. An event is a hint: none
 * is heard while Redis cannot be reached. A listener that throws or rejects is logged, and disturbs neither a refresh
 * nor other listeners. The event `error` is never emitted.
 */
export class RefreshScheduler extends EventEmitter<RefreshSchedulerEvents> {
  readonly #log: Logger;
  readonly #vault: VaultClient;
  readonly #ownsVault: boolean;
  readonly #refreshing: OpenEngine;
  readonly #hearing: Redis;
  readonly #ready: Promise<unknown>;
  readonly #closing = Promise.withResolvers<void>();
  #closed: Promise<void> | undefined;

  /**
   * Connects to Redis, and hears events from then on. Close it also if it was never started.
   *
   * @throws ConfigError with every problem of `redisUrl`, `prefix`, `env` and `connectorsYaml`
   */
  constructor({ vault, redisUrl, prefix, env, connectorsYaml, log }: RefreshSchedulerOptions) {
    super();
    const { integrations, guard, problems } = readIntegrations(env, {
      yaml: connectorsYaml,
      needsKeys: true,
    });
    const config = readConfig(schema, { ...env, redisUrl, prefix }, [refreshRule, () => problems]);
    this.#log = openLog(log);
    this.#vault = vault instanceof VaultClient ? vault : new VaultClient(vault);
    this.#ownsVault = this.#vault !== vault;
    this.#refreshing = openEngine({
      vault: this.#vault,
      redisUrl,
      prefix: config.prefix,
      integrations,
      guard,
      ...(config.CONSOLE_URL === undefined ? {} : { consoleUrl: config.CONSOLE_URL }),
      settings: refreshSettings(config),
      metrics: createRefreshMetrics([]),
      log: this.#log,
    });
    this.#hearing = connectRedis(redisUrl, 'background', this.#refreshing.onRedisError);
    const subscription = new EventSubscription(this.#hearing, config.prefix);
    subscription.on('event', (event) => this.#hear(event));
    this.#ready = Promise.all([once(subscription, 'gap'), connected(this.#refreshing.requests)]);
  }

  /** Begins to refresh, as soon as Redis can be used. While it cannot, that is logged and tried for ever. */
  async start(): Promise<void> {
    if (this.#closed !== undefined) throw new Error('This scheduler is closed');
    await Promise.race([this.#ready, this.#closing.promise]);
    if (this.#closed === undefined) this.#refreshing.start();
  }

  /**
   * Stores what a user just granted, over anything stored before, and schedules its refresh.
   *
   * @returns the document as stored; its `metadata.revision` names this state
   * @throws VaultError
   */
  storeCredentials(
    tenantId: string,
    integration: string,
    granted: OAuthCredentials,
  ): Promise<StoredCredential> {
    return storeGranted(this.#vault, this.#refreshing.engine, { tenantId, integration }, granted);
  }

  /**
   * Asks for a refresh before it is due; what comes of it is told by the events.
   *
   * @param revision of the state to refresh; left out, the one that is stored
   * @returns `hastened`; or why there will be none now: `cooling_down` (the token was issued less than
   *   `REFRESH_COOLDOWN_SECONDS` ago), `throttled` (its provider asked for time), `not_refreshable`, or `superseded` (somebody stored other
   *   tokens just now)
   * @throws CredentialNotFoundError
   * @throws ConnectorsError `queue_unavailable` without Redis
   * @throws VaultError
   */
  async refreshNow(tenantId: string, integration: string, revision?: string): Promise<RequestOutcome> {
    const id = { tenantId, integration };
    const state = revision ?? (await this.#vault.credentials.get(id)).credential.metadata.revision;
    return refreshNow(this.#refreshing.engine, { ...id, revision: state });
  }

  /**
   * Ends a connection: at the provider, where that has a way to, and in Vault with every stored version.
   *
   * @returns whether there was one, and what the provider said
   * @throws VaultError: then it may still be there
   */
  disconnect(tenantId: string, integration: string): Promise<Disconnection> {
    return disconnect(this.#refreshing.engine, { tenantId, integration });
  }

  /**
   * Takes no more jobs, and resolves when those under way have ended: each new token is in Vault, or encrypted in Redis
   * for another process to find. That may take as long as a provider takes to answer, at most
   * `REFRESH_ATTEMPT_SECONDS`; with neither Vault nor Redis there, until one of them is back.
   */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    this.#closing.resolve();
    await this.#refreshing.close();
    // The events of what has just ended arrive before the answer to this.
    await this.#hearing.quit().catch(() => undefined);
    if (this.#ownsVault) await this.#vault.close();
  }

  #hear(event: ConnectorsEvent): void {
    if (event.type === 'refresh-success') {
      const expiresAt = event.expiresAt === undefined ? undefined : new Date(event.expiresAt);
      this.#tell(event.type, { ...stateOf(event), expiresAt });
    } else if (event.type === 'refresh-failed') {
      this.#tell(event.type, { ...stateOf(event), error: event.error });
    } else if (event.type === 'refresh-retry') {
      const { error, retryCount } = event;
      this.#tell(event.type, { ...stateOf(event), error, retryCount });
    }
  }

  #tell<Name extends keyof RefreshSchedulerEvents>(name: Name, event: RefreshSchedulerEvents[Name][0]): void {
    for (const listener of this.rawListeners(name)) void this.#call(listener, name, event);
  }

  async #call(listener: Function, name: string, event: object): Promise<void> {
    try {
      await listener.call(this, event);
    } catch (error) {
      this.#log.error({ event: name, err: error }, 'a listener failed');
    }
  }
}

/** The caller's log may print everything that an error holds. */
function openLog(log: Logger | undefined): Logger {
  if (log !== undefined) return log.child({}, { serializers: { err: describeError } });
  return createLogger('connectors', 'warn', pino.destination({ dest: 2, sync: true }));
}

function stateOf({ tenantId, integration, revision }: RefreshJobData): RefreshJobData {
  return { tenantId, integration, revision };
}

function connected(redis: Redis): Promise<void> {
  return new Promise((resolve) => {
    if (redis.status === 'ready') resolve();
    else redis.once('ready', resolve);
  });
}
