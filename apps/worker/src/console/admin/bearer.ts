import { FailedAttempts } from '@connectors/vault-core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { answerProblem } from '../problem.ts';
import type { AdminSessions } from '../session.ts';

/** Wrong tokens that one address may present in a row, and how long it waits for one more. */
const limit = { burst: 10, everyMs: 6_000 };

interface BearerOptions {
  sessions: AdminSessions;
  log: Logger;
  now: () => number;
}

/** Lets requests with the admin token through. A cookie is not looked at. */
export function requireAdminToken({ sessions, log, now }: BearerOptions) {
  const failures = new FailedAttempts({ ...limit, now });
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const presented = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    // First of all: behind an ingress all share one address, and nobody's wrong tokens may lock the operator out.
    if (presented !== undefined && sessions.isAdminToken(presented)) return undefined;
    const waitMs = failures.waitMs(request.ip);
    if (waitMs > 0) {
      void reply.header('retry-after', String(Math.ceil(waitMs / 1000)));
      return answerProblem(reply, 429, 'Too many wrong tokens came from your address.');
    }
    if (presented !== undefined) {
      failures.add(request.ip);
      log.warn({ from: request.ip }, 'admin token refused');
    }
    void reply.header('www-authenticate', 'Bearer realm="connectors admin"');
    return answerProblem(reply, 401, 'Present the admin token as a Bearer token.');
  };
}
