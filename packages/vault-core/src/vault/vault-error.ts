import { ConnectorsError } from '../errors.ts';

/** What went wrong between us and Vault. */
export type VaultErrorReason =
  /** No answer: refused, reset, timed out. A write may have happened all the same. */
  | 'unreachable'
  | 'sealed'
  /** 5xx, 429, or an answer that is not Vault's: there may be a better one later. */
  | 'failing'
  /** There is nothing at that path, in Vault's own words. */
  | 'not_found'
  /** 403: no token, an expired token and a missing capability look the same. */
  | 'denied'
  /** Vault does not take the token, or the role id and secret id, that we log in with. */
  | 'login_refused'
  /** The document changed since it was read. */
  | 'cas_mismatch'
  | 'key_not_found'
  /** Any other 4xx: the request itself is wrong. */
  | 'rejected';

/**
 * A failed call to Vault. It carries the operation and Vault's status, never the request: errors of HTTP clients hold
 * the Vault token and the plaintext as enumerable fields, and one careless log line prints them.
 */
export class VaultError extends ConnectorsError {
  readonly reason: VaultErrorReason;
  readonly status: number | undefined;

  constructor(operation: string, reason: VaultErrorReason, status?: number) {
    super('vault_unavailable', `Vault ${operation}: ${reason}${status === undefined ? '' : ` (${status})`}`, {
      retryAfterMs: 5_000,
    });
    this.reason = reason;
    this.status = status;
  }

  /** Whether the same call may succeed a moment later. */
  get isTransient(): boolean {
    return this.reason === 'unreachable' || this.reason === 'sealed' || this.reason === 'failing';
  }
}

/** Turns whatever node-vault or the transport threw into a {@link VaultError}. */
export function toVaultError(operation: string, thrown: unknown): VaultError {
  const { response } = thrown as { response?: { statusCode?: number; body?: AnswerBody } };
  if (response?.statusCode === undefined) return new VaultError(operation, 'unreachable');
  return new VaultError(operation, reasonOf(response.statusCode, response.body ?? {}), response.statusCode);
}

interface AnswerBody {
  errors?: unknown;
  data?: unknown;
}

function reasonOf(status: number, body: AnswerBody): VaultErrorReason {
  const errors = String(body.errors);
  if (status === 403) return 'denied';
  if (status === 503 && errors.includes('sealed')) return 'sealed';
  if (status >= 500 || status === 429) return 'failing';
  // A load balancer's page says nothing about what is stored, nor does a mount that is not there: what counts as gone is
  // revoked and forgotten.
  if (status === 404) return Array.isArray(body.errors) && body.errors.length === 0 ? 'not_found' : 'failing';
  if (!Array.isArray(body.errors) && body.data === undefined) return 'failing';
  if (errors.includes('check-and-set parameter did not match')) return 'cas_mismatch';
  if (errors.includes('encryption key not found')) return 'key_not_found';
  return 'rejected';
}
