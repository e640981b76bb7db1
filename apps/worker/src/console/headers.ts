import type { FastifyReply, FastifyRequest } from 'fastify';

const everywhere = {
  // The board's scripts, styles and images say themselves how long they may be kept.
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/**
 * The content security policy of a page of ours: its own style and script, and nothing inline.
 *
 * @param formTargets where its forms lead besides the console. Browsers check every redirect that follows a form, so
 *   a page whose form ends at a provider has to name the provider's origin, or `https:`.
 */
export function pagePolicy(...formTargets: string[]): string {
  const sources = "script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'";
  const formAction = ["form-action 'self'", ...formTargets].join(' ');
  return `default-src 'none'; ${sources}; ${formAction}; frame-ancestors 'none'; base-uri 'none'`;
}

/** Bull Board needs its own scripts and inline styles. */
const boardPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'self'";

/** Sets the headers of every answer of the console. */
export async function consoleHeaders(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  setConsoleHeaders(request, reply);
}

/** The same where no hook runs. */
export function setConsoleHeaders(request: FastifyRequest, reply: FastifyReply): void {
  const isBoard = request.url.startsWith('/board');
  reply.headers({ ...everywhere, 'content-security-policy': isBoard ? boardPolicy : pagePolicy() });
}
