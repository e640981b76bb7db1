import { inspect } from 'node:util';
import { z } from 'zod';
import { newRevision } from './ids.ts';
import type { Secret } from './secret.ts';

/** What a caller stores: a tenant's tokens for one integration. */
export interface OAuthCredentials {
  accessToken: string;
  /** Absent for providers that issue none: the access token is used until it dies. */
  refreshToken?: string | undefined;
  /** Absent when the provider names no end. */
  expiresAt?: Date | undefined;
  scopes: string[];
  /** For example `Bearer`. */
  tokenType: string;
  integration: string;
  /** When the refresh token itself dies, as far as is known: another fact than the end of the access token. */
  refreshTokenExpiresAt?: Date | undefined;
  /** How new access tokens come about where there is no refresh token; absent if they do not. */
  grant?: MintingGrant | undefined;
  /** The tenant's own key or secret, where its tokens are minted with one. */
  grantSecret?: string | undefined;
  /** What the provider needs to know of this tenant, for example an installation id. */
  fields?: Readonly<Record<string, string>> | undefined;
  /** Whose tokens these are at the provider, as far as it tells. */
  account?: ProviderAccount | undefined;
}

/** How access tokens are obtained without a refresh token: each one is requested anew. */
export const mintingGrants = ['client_credentials', 'jwt_bearer', 'github_app'] as const;
export type MintingGrant = (typeof mintingGrants)[number];

/** Whose tokens a credential holds, as the provider says. */
export const accountSchema = z.object({
  /** As the provider knows it: stays when the account is renamed. */
  id: z.string(),
  /** For people: an e-mail address, a login, the name of a workspace. The provider's text. */
  name: z.string().optional(),
});

/** An account at a provider: a person, a workspace, an installation. */
export type ProviderAccount = z.infer<typeof accountSchema>;

const ciphertext = z.string().regex(/^vault:v\d+:/);
const time = z.iso.datetime();

/** The right to refresh one credential now. Written with `cas` before anything is sent to the provider. */
const attemptSchema = z.object({
  id: z.string(),
  /** When the claim was made, just before the refresh token was sent. */
  sentAt: time,
  /** Until then nobody else may spend the refresh token. */
  deadline: time,
  /** The attempt is over, and its refresh token may be spent although no new one came. */
  inDoubt: z.literal(true).optional(),
  /** An earlier attempt on the same revision crashed or ended in doubt. */
  afterLost: z.literal(true).optional(),
});

/** The document at `secret/data/{tenantId}/{integration}`. Tokens are Transit ciphertexts. */
export const storedCredentialSchema = z.object({
  accessToken: ciphertext,
  refreshToken: ciphertext.optional(),
  /** The tenant's own key or secret, where its tokens are minted with one. */
  grantSecret: ciphertext.optional(),
  expiresAt: time.optional(),
  scopes: z.array(z.string()),
  tokenType: z.string(),
  metadata: z.object({
    createdAt: time,
    updatedAt: time,
    createdBy: z.string(),
    integration: z.string(),
    autoRefresh: z.boolean(),
    refreshCount: z.int(),
    status: z.enum(['active', 'needs_reauth']),
    statusReason: z.string().optional(),
    revision: z.string(),
    tokenIssuedAt: time,
    refreshTokenExpiresAt: time.optional(),
    /** Absent: tokens come from the refresh token, if there is one. */
    grant: z.enum(mintingGrants).optional(),
    /** What the provider needs to know of this tenant, for example an installation id. */
    fields: z.record(z.string(), z.string()).optional(),
    account: accountSchema.optional(),
    attempt: attemptSchema.optional(),
  }),
});

export type StoredCredential = z.infer<typeof storedCredentialSchema>;
export type RefreshAttempt = z.infer<typeof attemptSchema>;

/** A tenant's credential for one integration, by name. */
export interface CredentialId {
  tenantId: string;
  integration: string;
}

/** The id as one string; neither part holds a slash. */
export function credentialKey({ tenantId, integration }: CredentialId): string {
  return `${tenantId}/${integration}`;
}

/** The fields of a document that are encrypted. */
export type SealedField = 'accessToken' | 'refreshToken' | 'grantSecret';

/** Whether a worker could ever renew this credential. */
export function isRefreshable({ refreshToken, metadata }: StoredCredential): boolean {
  const hasSource = refreshToken !== undefined || metadata.grant !== undefined;
  return hasSource && metadata.autoRefresh && metadata.status === 'active';
}

/** Everything of a stored credential but its tokens. */
export type CredentialFacts = Omit<StoredCredential, SealedField>;

/** The metadata of tokens that a user just granted: a new lineage with its own revision. */
export function newMetadata(integration: string, createdBy: string, now: Date): StoredCredential['metadata'] {
  const time = now.toISOString();
  return {
    createdAt: time,
    updatedAt: time,
    createdBy,
    integration,
    autoRefresh: true,
    refreshCount: 0,
    status: 'active',
    revision: newRevision(),
    tokenIssuedAt: time,
  };
}

/**
 * Decrypted credentials. The tokens are readable as properties, but printing, spreading or serialising the
 * object shows none of them.
 */
export class DecryptedCredentials implements OAuthCredentials {
  readonly integration: string;
  readonly expiresAt: Date | undefined;
  readonly scopes: string[];
  readonly tokenType: string;
  readonly metadata: StoredCredential['metadata'];
  readonly #accessToken: Secret;
  readonly #refreshToken: Secret | undefined;

  constructor(facts: CredentialFacts, accessToken: Secret, refreshToken: Secret | undefined) {
    this.integration = facts.metadata.integration;
    this.expiresAt = facts.expiresAt === undefined ? undefined : new Date(facts.expiresAt);
    this.scopes = facts.scopes;
    this.tokenType = facts.tokenType;
    this.metadata = facts.metadata;
    this.#accessToken = accessToken;
    this.#refreshToken = refreshToken;
  }

  get accessToken(): string {
    return this.#accessToken.reveal();
  }

  get refreshToken(): string | undefined {
    return this.#refreshToken?.reveal();
  }

  [inspect.custom](): object {
    const { integration, expiresAt, scopes, tokenType, metadata } = this;
    return { integration, expiresAt, scopes, tokenType, metadata };
  }
}
