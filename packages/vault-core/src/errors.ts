/**
 * Every error that leaves the system, in one table: what it means over HTTP and what the caller does next.
 * `docs/errors.md` is generated from it.
 */
export const errorTable = {
  invalid_request: { status: 400, title: 'The request is malformed', action: 'Correct the named field.' },
  agent_unauthenticated: {
    status: 401,
    title: 'The agent is unknown',
    action: 'Present a valid agent key, or a valid token from the issuer, as `Authorization: Bearer …`.',
  },
  admin_unauthenticated: {
    status: 401,
    title: 'The operator is unknown',
    action: 'Present the admin token as `Authorization: Bearer …`, or sign in.',
  },
  agent_forbidden: {
    status: 403,
    title: 'The agent has no grant for this',
    action: 'Ask the operator for the grant that `missingGrant` in the body names.',
  },
  forbidden: {
    status: 403,
    title: 'The console refuses this',
    action: 'Do as `detail` says.',
  },
  origin_forbidden: {
    status: 403,
    title: 'Pages of this origin may not call MCP servers',
    action: 'Ask the operator to name the origin in `MCP_ALLOWED_ORIGINS`.',
  },
  session_unknown: {
    status: 404,
    title: 'There is no such MCP session',
    action: 'Start a new one: send `initialize` without `Mcp-Session-Id`.',
  },
  integration_unknown: {
    status: 404,
    title: 'There is no such integration',
    action: 'Correct the integration in the URL.',
  },
  not_found: {
    status: 404,
    title: 'There is nothing at this address',
    action: 'Correct the id in the URL.',
  },
  conflict: {
    status: 409,
    title: 'Its current state does not allow this',
    action: 'Do what `detail` says first.',
  },
  already_created: {
    status: 409,
    title: 'An earlier request with this idempotency key has done this',
    action: 'Look up what `id` names. Its secret was shown only once; `detail` says how to get another.',
  },
  request_in_progress: {
    status: 409,
    title: 'A request with this idempotency key is under way',
    action: 'Repeat it as `Retry-After` says.',
  },
  payload_too_large: {
    status: 413,
    title: 'The body is too large',
    action: 'Send a smaller body, or send it again: the credential is fresh now.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The type of the body is not supported',
    action: 'Send JSON, as `application/json`.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'Another request had this idempotency key',
    action: 'Use a new key for each different request.',
  },
  provider_refused: {
    status: 422,
    title: 'The provider gave no token',
    action: 'Fix what `reason` names, with the tenant or at the provider.',
  },
  credential_not_found: {
    status: 424,
    title: 'The tenant has not connected this integration',
    action: 'Send the user to `connectUrl`.',
  },
  token_expired: {
    status: 424,
    title: 'The credential has expired and cannot be refreshed',
    action: 'Send the user to `connectUrl`.',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    action: 'Wait as long as `Retry-After` says.',
  },
  internal_error: {
    status: 500,
    title: 'Something went wrong here',
    action: 'Tell the operator the `requestId`.',
  },
  upstream_rejected_credential: {
    status: 502,
    title: 'The upstream refused a fresh credential too',
    action: 'Check at the upstream whether the account may do this.',
  },
  upstream_unreachable: {
    status: 502,
    title: 'The upstream cannot be reached',
    action: 'Retry.',
  },
  provider_unavailable: {
    status: 502,
    title: 'The provider did not answer as it should',
    action: 'Retry; wait as `Retry-After` says, if it is there.',
  },
  overloaded: {
    status: 503,
    title: 'Too many requests are under way',
    action: 'Retry as `Retry-After` says.',
  },
  upstream_timeout: {
    status: 504,
    title: 'The upstream did not answer in time',
    action: 'Retry.',
  },
  vault_unavailable: {
    status: 503,
    title: 'Vault cannot be reached, is sealed or refuses us',
    action: 'Retry as `Retry-After` says.',
  },
  issuer_unavailable: {
    status: 503,
    title: 'The issuer of agents’ tokens cannot be reached',
    action: 'Retry as `Retry-After` says.',
  },
  queue_unavailable: {
    status: 503,
    title: 'The refresh queue cannot be reached',
    action: 'Retry as `Retry-After` says.',
  },
} as const satisfies Record<string, { status: number; title: string; action: string }>;

/** The stable name of an error; `switch` on it. */
export type ErrorCode = keyof typeof errorTable;

/** An error of this system. Its `code` and message are safe to show: they never hold a token or a provider's text. */
export class ConnectorsError extends Error {
  readonly code: ErrorCode;
  /** How long the caller should wait before it retries, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message?: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message ?? errorTable[code].title, options.cause === undefined ? {} : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The tenant never connected this integration, or disconnected it: send the user through the connect flow. */
export class CredentialNotFoundError extends ConnectorsError {
  constructor(tenantId: string, integration: string) {
    super('credential_not_found', `Tenant ${tenantId} has not connected ${integration}`);
  }
}

/** The token is past its expiry, or was refused before, and nothing can refresh it: the user has to connect again. */
export class TokenExpiredError extends ConnectorsError {
  /** When it expired, or was refused. */
  readonly expiredAt: Date;

  constructor(tenantId: string, integration: string, expiredAt: Date, message?: string) {
    super(
      'token_expired',
      message ?? `The credential of ${tenantId} for ${integration} expired at ${expiredAt.toISOString()}`,
    );
    this.expiredAt = expiredAt;
  }
}

/**
 * A document in Vault that was not written by us, or was changed by hand. The message names the document and the fields
 * that do not fit, never what they hold.
 */
export class StoredDocumentError extends ConnectorsError {
  constructor(path: string, fields: readonly string[]) {
    super('internal_error', `The document ${path} in Vault is not as it should be: see ${fields.join(', ')}`);
  }
}

/** We, or the upstream, ask the caller to slow down. */
export class RateLimitError extends ConnectorsError {
  constructor(message: string, waitTimeMs: number) {
    super('rate_limited', message, { retryAfterMs: waitTimeMs });
  }

  /** Milliseconds to wait before the next request. */
  getWaitTimeMs(): number {
    return this.retryAfterMs ?? 0;
  }
}
