import type { IncomingHttpHeaders } from 'node:http';

/** The first revision without handshake and sessions, in which every request says all about itself. */
const firstStateless = '2026-07-28';

/** Whether this names a revision of the protocol without handshake and sessions. */
export function isStatelessRevision(revision: unknown): boolean {
  return typeof revision === 'string' && /^\d{4}-\d\d-\d\d$/.test(revision) && revision >= firstStateless;
}

/** Whether a request's headers say that it is of such a revision. */
export function isStateless(headers: IncomingHttpHeaders): boolean {
  return isStatelessRevision(headers['mcp-protocol-version']);
}
