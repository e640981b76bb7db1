import { isRefreshable, type CredentialId, type StoredCredential } from './credential.ts';
import { ConnectorsError, CredentialNotFoundError, TokenExpiredError } from './errors.ts';
import type { Secret } from './secret.ts';

/** What is needed to send a credential with a request: never its refresh token. */
export interface UsableCredential {
  accessToken: Secret;
  /** What the provider needs to know of this tenant. */
  fields: Readonly<Record<string, string>>;
  revision: string;
  /** Milliseconds since the epoch; infinite for tokens that do not expire. */
  expiresAt: number;
  /** Milliseconds before its expiry from which on it is not sent: it might expire on its way. */
  marginMs: number;
  /** Whether it can be exchanged for a new one. */
  isRefreshable: boolean;
}

const maxMarginMs = 5_000;

/** The part of a stored credential that requests need, and until when it may be used. */
export function toUsable(stored: StoredCredential, accessToken: Secret): UsableCredential {
  const { metadata } = stored;
  const expiresAt = stored.expiresAt === undefined ? Infinity : Date.parse(stored.expiresAt);
  const lifetimeMs = expiresAt - Date.parse(metadata.tokenIssuedAt);
  return {
    accessToken,
    fields: metadata.fields ?? {},
    revision: metadata.revision,
    expiresAt,
    // Well below the worker's lead, also for tokens that live for seconds: else each would be waited for.
    marginMs: Math.min(maxMarginMs, lifetimeMs / 10),
    isRefreshable: isRefreshable(stored),
  };
}

/** Until when a token may be sent. One that cannot be refreshed is used to its end. */
export function sendableUntil({ expiresAt, marginMs, isRefreshable }: UsableCredential): number {
  return isRefreshable ? expiresAt - marginMs : expiresAt;
}

/**
 * What Vault holds after a refresh was waited for, because the token was about to expire.
 *
 * @throws ConnectorsError when it cannot be sent either
 */
export function afterExpiry(
  id: CredentialId,
  stored: UsableCredential | null,
  now: number,
): UsableCredential {
  if (stored === null) throw new CredentialNotFoundError(id.tenantId, id.integration);
  // If no refresh came, the last seconds of a token are better than none.
  if (now < stored.expiresAt) return stored;
  if (!stored.isRefreshable) {
    throw new TokenExpiredError(id.tenantId, id.integration, new Date(stored.expiresAt));
  }
  const message = 'The token expires and its refresh did not happen in time';
  throw new ConnectorsError('queue_unavailable', message, { retryAfterMs: 5_000 });
}

/**
 * What Vault holds after a refresh was waited for, because the upstream refused the token of `rejected`.
 *
 * @throws ConnectorsError when there is nothing else to send
 */
export function afterRejection(
  id: CredentialId,
  stored: UsableCredential | null,
  rejected: string,
  now: number,
): UsableCredential {
  if (stored === null) throw new CredentialNotFoundError(id.tenantId, id.integration);
  if (stored.revision !== rejected) return stored;
  if (stored.isRefreshable) throw new ConnectorsError('upstream_rejected_credential');
  const message = `${id.integration} refused the credential of ${id.tenantId}, and nothing can refresh it`;
  throw new TokenExpiredError(
    id.tenantId,
    id.integration,
    new Date(Math.min(now, stored.expiresAt)),
    message,
  );
}
