import { ConnectorsError, type ErrorCode } from '@connectors/vault-core';

const codes: Record<string, ErrorCode> = {
  UND_ERR_CONNECT_TIMEOUT: 'upstream_timeout',
  UND_ERR_HEADERS_TIMEOUT: 'upstream_timeout',
  ETIMEDOUT: 'upstream_timeout',
  // What undici refuses to write, such as a control character in a header.
  UND_ERR_INVALID_ARG: 'invalid_request',
};

/** What a failed exchange with an upstream means for the agent. The error's own text stays here. */
export function toUpstreamError(thrown: unknown): ConnectorsError {
  if (thrown instanceof ConnectorsError) return thrown;
  const { code } = thrown as { code?: unknown };
  const name = typeof code === 'string' && /^\w{1,64}$/.test(code) ? code : 'unknown';
  const meaning = codes[name] ?? 'upstream_unreachable';
  return new ConnectorsError(meaning, undefined, { cause: name });
}
