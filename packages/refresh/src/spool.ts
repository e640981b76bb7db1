import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { TokenSet } from '@connectors/oauth';
import {
  ConnectorsError,
  Secret,
  VaultError,
  type DataKey,
  type DataKeys,
  type RefreshJobData,
} from '@connectors/vault-core';
import type { Redis } from 'ioredis';
import { z } from 'zod';

/** How long a data key is used before the next one, in milliseconds. */
const keyLifeMs = 60 * 60_000;

const entrySchema = z.object({
  key: z.string(),
  nonce: z.string(),
  sealed: z.string(),
  tag: z.string(),
  /** When the tokens came. */
  since: z.iso.datetime().optional(),
});

const tokensSchema = z.object({
  accessToken: z.string(),
  refreshToken: z.string().optional(),
  expiresAt: z.iso.datetime().optional(),
  refreshTokenExpiresAt: z.iso.datetime().optional(),
  scopes: z.array(z.string()).optional(),
  tokenType: z.string(),
  fields: z.record(z.string(), z.string()).exactOptional(),
});

/**
 * Tokens that a provider has issued and Vault could not yet take, encrypted in Redis: so that they outlive the worker that
 * received them. The data key comes from Vault beforehand, and only Vault can open it again; the associated data
 * binds an entry to its tenant, integration and the revision that was spent.
 */
export class Spool {
  readonly #redis: Redis;
  readonly #hash: string;
  readonly #keys: DataKeys;
  readonly #now: () => number;
  #key: { key: DataKey; madeAt: number } | undefined;

  constructor(redis: Redis, prefix: string, keys: DataKeys, now: () => number) {
    this.#redis = redis;
    this.#hash = `${prefix}:spool`;
    this.#keys = keys;
    this.#now = now;
  }

  /** Fetches a data key while Vault answers: when it is needed, Vault will not. Costs a call once an hour. */
  async prepare(): Promise<void> {
    if (this.#key !== undefined && this.#now() - this.#key.madeAt < keyLifeMs) return;
    this.#key = { key: await this.#keys.create(), madeAt: this.#now() };
  }

  /** Keeps tokens for the revision that was spent for them. Says whether it could: Redis may be away as well. */
  async put(job: RefreshJobData, tokens: TokenSet): Promise<boolean> {
    if (this.#key === undefined) return false;
    const { plaintext, wrapped } = this.#key.key;
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', plaintext, nonce).setAAD(contextOf(job));
    const sealed = Buffer.concat([cipher.update(serialize(tokens)), cipher.final()]);
    const entry = {
      key: wrapped,
      nonce: nonce.toString('base64'),
      sealed: sealed.toString('base64'),
      tag: cipher.getAuthTag().toString('base64'),
      since: new Date(this.#now()).toISOString(),
    };
    return this.#redis.hset(this.#hash, fieldOf(job), JSON.stringify(entry)).then(
      () => true,
      () => false,
    );
  }

  /**
   * The tokens kept for a revision, if there are any. An entry that nobody can open, because it was not written here or its key is
   * gone, is none: to wait for it would hold the credential up for ever.
   *
   * @throws ConnectorsError `queue_unavailable`: nobody knows, so nothing may be spent
   * @throws VaultError
   */
  async get(job: RefreshJobData): Promise<TokenSet | undefined> {
    const text = await this.#redis.hget(this.#hash, fieldOf(job)).catch((cause: unknown) => {
      throw new ConnectorsError('queue_unavailable', undefined, { cause });
    });
    if (text === null) return undefined;
    try {
      return await this.#open(job, entrySchema.parse(JSON.parse(text)));
    } catch (error) {
      if (error instanceof VaultError && !['rejected', 'key_not_found'].includes(error.reason)) throw error;
      return undefined;
    }
  }

  async #open(job: RefreshJobData, entry: z.infer<typeof entrySchema>): Promise<TokenSet> {
    const key = await this.#keys.open(entry.key);
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(entry.nonce, 'base64'))
      .setAAD(contextOf(job))
      .setAuthTag(Buffer.from(entry.tag, 'base64'));
    const sealed = Buffer.from(entry.sealed, 'base64');
    return deserialize(Buffer.concat([decipher.update(sealed), decipher.final()]).toString());
  }

  /** Forgets an entry that is stored or was superseded. One that stays does no harm: it is superseded from now on. */
  async remove(job: RefreshJobData): Promise<void> {
    await this.#redis.hdel(this.#hash, fieldOf(job)).catch(() => undefined);
  }

  /** For which revisions tokens are kept. */
  async list(): Promise<RefreshJobData[]> {
    return (await this.#redis.hkeys(this.#hash)).map(jobOf);
  }

  /** The same, with since when if that is known. */
  async entries(): Promise<{ job: RefreshJobData; since: string | undefined }[]> {
    const entries = await this.#redis.hgetall(this.#hash);
    return Object.entries(entries).map(([field, text]) => ({ job: jobOf(field), since: sinceOf(text) }));
  }
}

// None of the three holds a slash.
function fieldOf({ tenantId, integration, revision }: RefreshJobData): string {
  return `${tenantId}/${integration}/${revision}`;
}

function jobOf(field: string): RefreshJobData {
  const [tenantId = '', integration = '', revision = ''] = field.split('/');
  return { tenantId, integration, revision };
}

function sinceOf(text: string): string | undefined {
  try {
    return entrySchema.parse(JSON.parse(text)).since;
  } catch {
    return undefined;
  }
}

function contextOf(job: RefreshJobData): Buffer {
  return Buffer.from(`spool/${fieldOf(job)}`);
}

function serialize({ accessToken, refreshToken, ...facts }: TokenSet): string {
  return JSON.stringify({
    accessToken: accessToken.reveal(),
    refreshToken: refreshToken?.reveal(),
    ...facts,
  });
}

function deserialize(text: string): TokenSet {
  const { accessToken, refreshToken, expiresAt, refreshTokenExpiresAt, scopes, ...facts } =
    tokensSchema.parse(JSON.parse(text));
  return {
    accessToken: new Secret(accessToken),
    refreshToken: refreshToken === undefined ? undefined : new Secret(refreshToken),
    expiresAt: toDate(expiresAt),
    refreshTokenExpiresAt: toDate(refreshTokenExpiresAt),
    scopes,
    ...facts,
  };
}

function toDate(time: string | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}
