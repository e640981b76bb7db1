import { FailedAttempts } from '@connectors/vault-core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { tellRetryAfter } from './problem.ts';

/** Wrong tokens that one address may present in a row, and how long it waits for one more. */
const limit = { burst: 10, everyMs: 6_000 };

/**
 * Counts wrong admin tokens, wherever in the console they are presented. Ask it only when the right one was not:
 * behind an ingress all share one address, and nobody's wrong tokens may lock the operator out.
 */
export class WrongTokens {
  readonly #failures: FailedAttempts;

  constructor(now: () => number) {
    this.#failures = new FailedAttempts({ ...limit, now });
  }

  static readonly detail = 'Too many wrong tokens came from your address.';

  /** Whether this address has presented too many; then the reply says how long it has to wait. */
  areTooMany(request: FastifyRequest, reply: FastifyReply): boolean {
    const waitMs = this.#failures.waitMs(request.ip);
    if (waitMs > 0) tellRetryAfter(reply, waitMs);
    return waitMs > 0;
  }

  add(request: FastifyRequest): void {
    this.#failures.add(request.ip);
  }
}
