import type { FastifyReply, FastifyRequest } from 'fastify';

const everywhere = {
  // The board's scripts, styles and images say themselves how long they may be kept.
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

const pagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/** Bull Board needs its own scripts and inline styles. */
const boardPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'self'";

/** Sets the headers of every answer of the console. */
export async function consoleHeaders(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const isBoard = request.url.startsWith('/board');
  reply.headers({ ...everywhere, 'content-security-policy': isBoard ? boardPolicy : pagePolicy });
}
