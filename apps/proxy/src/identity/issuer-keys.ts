import { callProvider, TokenRequestError, wellKnownUrls, type CallOptions } from '@connectors/oauth';
import { ConnectorsError } from '@connectors/vault-core';
import {
  createLocalJWKSet,
  errors,
  type CryptoKey,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from 'jose';
import { z } from 'zod';

export interface IssuerKeysOptions extends Required<Pick<CallOptions, 'guard' | 'now'>> {
  issuer: string;
  /** Left out: what the issuer's metadata name. */
  jwksUrl: string | undefined;
  /** Told why the keys could not be fetched, in a code. */
  onFailure: (reason: string) => void;
}

type KeySet = ReturnType<typeof createLocalJWKSet>;

/** After so many milliseconds the keys are fetched again, behind the requests: what was taken out of them ends. */
const freshMs = 10 * 60_000;
/** So long an issuer may be away. */
const usableMs = 24 * 3_600_000;
/** A key that nobody knows has them fetched again, but not more often: anybody can make up key ids. */
const cooldownMs = 30_000;
const retryMs = 5_000;
const timeoutMs = 5_000;

const metadataSchema = z.object({ issuer: z.string(), jwks_uri: z.url() });

/** The public keys of an issuer, kept in memory. While it is away, the keys that are known serve on. */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions;
  #keys: { set: KeySet; fetchedAt: number } | undefined;
  #nextTryAt = -Infinity;
  #fetching: Promise<void> | undefined;
  #isAway = false;

  constructor(options: IssuerKeysOptions) {
    this.#options = options;
  }

  /**
   * The key that a token's header names. What the header itself brings along or points to is not looked at.
   *
   * @throws ConnectorsError `issuer_unavailable`
   * @throws errors.JOSEError when there is no such key
   */
  readonly find = async (header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> => {
    const known = this.#usable();
    if (known === undefined) await this.#fetchInTime();
    else if (this.#age(known) >= freshMs) void this.#fetchInTime().catch(() => undefined);
    try {
      return await this.#current().set(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    await this.#fetchInTime();
    return this.#current().set(header, token);
  };

  /** Fetches the keys, unless that was just done. */
  async #fetchInTime(): Promise<void> {
    if (this.#fetching === undefined) {
      if (this.#options.now() < this.#nextTryAt) {
        if (this.#isAway) throw unavailable();
        return;
      }
      this.#fetching = this.#fetch().finally(() => (this.#fetching = undefined));
    }
    await this.#fetching;
  }

  async #fetch(): Promise<void> {
    const { now, onFailure } = this.#options;
    try {
      const set = createLocalJWKSet((await this.#read(await this.#findUrl())) as JSONWebKeySet);
      this.#keys = { set, fetchedAt: now() };
      this.#isAway = false;
      this.#nextTryAt = now() + cooldownMs;
    } catch (error) {
      this.#isAway = true;
      this.#nextTryAt = now() + retryMs;
      // The text of another error could hold parts of an answer.
      onFailure(error instanceof TokenRequestError ? error.code : 'keys_unreadable');
      throw unavailable();
    }
  }

  async #findUrl(): Promise<string> {
    const { issuer, jwksUrl } = this.#options;
    if (jwksUrl !== undefined) return jwksUrl;
    let failure: unknown;
    for (const url of wellKnownUrls(issuer)) {
      try {
        const metadata = metadataSchema.parse(await this.#read(url));
        // RFC 8414 3.3: those of another issuer would let that one issue tokens in this one's name.
        if (metadata.issuer === issuer) return metadata.jwks_uri;
      } catch (error) {
        failure = error;
      }
    }
    throw failure ?? new Error('the metadata are of another issuer');
  }

  async #read(url: string): Promise<unknown> {
    const { guard, now } = this.#options;
    const { status, body } = await callProvider({ method: 'GET', url }, { guard, now, timeoutMs });
    if (status !== 200) throw new Error(`it answered ${status}`);
    return JSON.parse(body.reveal());
  }

  #current(): { set: KeySet } {
    const known = this.#usable();
    if (known === undefined) throw unavailable();
    return known;
  }

  #usable(): { set: KeySet; fetchedAt: number } | undefined {
    return this.#keys !== undefined && this.#age(this.#keys) < usableMs ? this.#keys : undefined;
  }

  #age({ fetchedAt }: { fetchedAt: number }): number {
    return this.#options.now() - fetchedAt;
  }
}

function unavailable(): ConnectorsError {
  return new ConnectorsError('issuer_unavailable', undefined, { retryAfterMs: retryMs });
}
