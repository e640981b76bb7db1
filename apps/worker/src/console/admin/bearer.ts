import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { answerProblem } from '../problem.ts';
import type { AdminSessions } from '../session.ts';
import { WrongTokens } from '../wrong-tokens.ts';

interface BearerOptions {
  sessions: AdminSessions;
  wrongTokens: WrongTokens;
  log: Logger;
}

/** Lets requests with the admin token through. A cookie is not looked at. */
export function requireAdminToken({ sessions, wrongTokens, log }: BearerOptions) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const presented = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (presented !== undefined && sessions.isAdminToken(presented)) return undefined;
    if (wrongTokens.areTooMany(request, reply)) return answerProblem(reply, 429, WrongTokens.detail);
    if (presented !== undefined) {
      wrongTokens.add(request);
      log.warn({ from: request.ip }, 'admin token refused');
    }
    void reply.header('www-authenticate', 'Bearer realm="connectors admin"');
    return answerProblem(reply, 401, 'Present the admin token as a Bearer token.');
  };
}
