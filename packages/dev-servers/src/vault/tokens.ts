import { createHash, randomBytes } from 'node:crypto';
import type { Barrier } from './barrier.ts';
import type { Fields } from './fields.ts';
import { VaultError } from './request.ts';

/** A token as it is stored: never the token itself, which is only known by its hash. All times in seconds. */
export interface TokenEntry {
  hash: string;
  accessor: string;
  policies: string[];
  displayName: string;
  /** The route that created it. */
  path: string;
  meta: Record<string, string> | null;
  issuedAt: number;
  /** `null`: never. */
  expiresAt: number | null;
  creationTtl: number;
  explicitMaxTtl: number;
  /** The latest expiry that renewing may reach, counted from the issue. */
  maxTtl: number;
  period: number;
  renewable: boolean;
  /** Requests left; 0 means unlimited. */
  numUses: number;
  lastRenewal: number | undefined;
  /** The hash of the token that created it; absent on orphans. */
  parent: string | undefined;
}

export interface TokenRequest {
  policies: string[];
  displayName: string;
  path: string;
  meta?: Record<string, string> | null | undefined;
  /** Seconds; absent: the system's default, or for ever when `root`. */
  ttl?: number | undefined;
  explicitMaxTtl?: number | undefined;
  maxTtl?: number | undefined;
  period?: number | undefined;
  renewable?: boolean | undefined;
  numUses?: number | undefined;
  parent?: string | undefined;
  /** The token itself, when the creator chooses it. */
  id?: string | undefined;
}

/** Vault's default lease and maximum lease: 32 days. */
export const systemMaxTtl = 768 * 3600;

/**
 * The token store. A token is valid when its own entry is, and its parent's, and so on: revoking a token therefore
 * revokes its descendants.
 */
export class Tokens {
  readonly #barrier: Barrier;
  readonly #now: () => number;

  constructor(barrier: Barrier, now: () => number) {
    this.#barrier = barrier;
    this.#now = now;
  }

  create(request: TokenRequest): { clientToken: string; token: TokenEntry } {
    const clientToken = request.id ?? `hvs.${randomBytes(24).toString('base64url')}`;
    const hash = hashOf(clientToken);
    if (this.#valid(hash)) throw new VaultError(400, 'cannot create a token with a duplicate ID');
    this.#barrier.deleteExpired(this.#now());
    const token = newEntry(hash, request, this.#seconds());
    this.#barrier.transaction(() => {
      this.#save(token);
      this.#barrier.put(`token/accessor/${token.accessor}`, hash, expiry(token));
    });
    return { clientToken, token };
  }

  lookup(clientToken: string): TokenEntry | undefined {
    return clientToken === '' ? undefined : this.#valid(hashOf(clientToken));
  }

  lookupAccessor(accessor: string): TokenEntry | undefined {
    const hash = this.#barrier.get(`token/accessor/${accessor}`) as string | undefined;
    return hash === undefined ? undefined : this.#valid(hash);
  }

  accessors(): string[] {
    return this.#barrier.list('token/accessor/');
  }

  /** Counts one request of a token with limited uses. Returns whether this was its last: revoke it afterwards. */
  use(token: TokenEntry): boolean {
    if (token.numUses === 0) return false;
    if (token.numUses === 1) return true;
    token.numUses -= 1;
    this.#save(token);
    return false;
  }

  /** Extends the token by `increment` seconds from now (by its creation ttl when absent), within its maximum. */
  renew(token: TokenEntry, increment: number | undefined): TokenEntry {
    if (!token.renewable || token.expiresAt === null) throw new VaultError(400, 'lease is not renewable');
    const now = this.#seconds();
    const wanted = token.period || Math.max(0, increment ?? 0) || token.creationTtl;
    const latest = token.period && !token.explicitMaxTtl ? now + wanted : token.issuedAt + token.maxTtl;
    const renewed = { ...token, lastRenewal: now, expiresAt: Math.min(now + wanted, latest) };
    this.#barrier.transaction(() => {
      this.#save(renewed);
      this.#barrier.put(`token/accessor/${token.accessor}`, token.hash, expiry(renewed));
    });
    return renewed;
  }

  revoke(token: TokenEntry): void {
    this.#barrier.transaction(() => {
      this.#barrier.delete(`token/id/${token.hash}`);
      this.#barrier.delete(`token/accessor/${token.accessor}`);
    });
  }

  /** Seconds that are left, 0 for a token that never expires. */
  ttl(token: TokenEntry): number {
    return token.expiresAt === null ? 0 : Math.max(0, Math.trunc(token.expiresAt - this.#seconds()));
  }

  #valid(hash: string): TokenEntry | undefined {
    const token = this.#barrier.get(`token/id/${hash}`) as TokenEntry | undefined;
    if (!token || (token.expiresAt !== null && token.expiresAt <= this.#seconds())) return undefined;
    if (token.parent !== undefined && !this.#valid(token.parent)) return undefined;
    return token;
  }

  #save(token: TokenEntry): void {
    this.#barrier.put(`token/id/${token.hash}`, token, expiry(token));
  }

  #seconds(): number {
    return this.#now() / 1000;
  }
}

function newEntry(hash: string, request: TokenRequest, now: number): TokenEntry {
  const policies = normalize(request.policies);
  const explicitMaxTtl = request.explicitMaxTtl ?? 0;
  const maxTtl = Math.min(...[request.maxTtl, explicitMaxTtl].filter(Boolean).map(Number), systemMaxTtl);
  const period = request.period ?? 0;
  const forever = policies.includes('root') && !request.ttl && !period && !explicitMaxTtl;
  const ttl = forever ? 0 : Math.min(period || request.ttl || systemMaxTtl, maxTtl);
  return {
    hash,
    accessor: randomBytes(18).toString('base64url'),
    policies,
    displayName: request.displayName,
    path: request.path,
    meta: request.meta ?? null,
    issuedAt: now,
    expiresAt: forever ? null : now + ttl,
    creationTtl: ttl,
    explicitMaxTtl,
    maxTtl,
    period,
    renewable: !forever && (request.renewable ?? true),
    numUses: request.numUses ?? 0,
    lastRenewal: undefined,
    parent: request.parent,
  };
}

/** Lower case, sorted, without repetitions. */
export function normalize(policies: string[]): string[] {
  return [...new Set(policies.map((name) => name.toLowerCase()))].sort();
}

/** The `auth` part of an answer that hands out or renews a token. */
export function authOf(clientToken: string, token: TokenEntry, leaseDuration: number): Fields {
  return {
    client_token: clientToken,
    accessor: token.accessor,
    policies: token.policies,
    token_policies: token.policies,
    metadata: token.meta,
    lease_duration: leaseDuration,
    renewable: token.renewable,
    entity_id: '',
    token_type: 'service',
    orphan: token.parent === undefined,
    mfa_requirement: null,
    num_uses: token.numUses,
  };
}

function expiry(token: TokenEntry): number | null {
  return token.expiresAt === null ? null : token.expiresAt * 1000;
}

function hashOf(clientToken: string): string {
  return createHash('sha256').update(clientToken).digest('hex');
}
