/** What decides whether an answer is about the token; see {@link isTokenRefused}. */
export interface ApiAnswer {
  status: number;
  /** Its `WWW-Authenticate`; several are joined with commas. */
  challenge?: string | undefined;
}

/**
 * Whether an API says that the token is dead, so that another one may help. What its challenge says (RFC 6750 3.1)
 * counts for more than its status: some answer 403 for a token that has expired, others 401 for a permission that is missing, which
 * no refresh could bring.
 *
 * @param statuses the provider's `tokenRefusedStatuses`
 */
export function isTokenRefused({ status, challenge = '' }: ApiAnswer, statuses: readonly number[]): boolean {
  const isAnnounced = statuses.includes(status);
  if (!isAnnounced && status !== 401 && status !== 403) return false;
  const error = /\berror="?(invalid_token|insufficient_scope)\b/i.exec(challenge)?.[1]?.toLowerCase();
  return error === undefined ? isAnnounced : error === 'invalid_token';
}

/** A success beyond this size, in bytes, is about something else than the token. */
export const maxRefusalBytes = 4 * 1024;

/**
 * Whether a success says in its body that the token is dead, as of APIs that have one status for everything.
 *
 * @param errors the provider's `tokenRefusedErrors`
 */
export function isRefusalBody(body: string, errors: readonly string[]): boolean {
  if (errors.length === 0) return false;
  try {
    const { error } = JSON.parse(body) as { error?: unknown };
    return typeof error === 'string' && errors.includes(error);
  } catch {
    return false;
  }
}
