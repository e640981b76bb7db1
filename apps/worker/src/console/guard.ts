import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { wantsPage } from './pages/error-page.ts';
import { answerProblem } from './problem.ts';
import type { AdminSessions } from './session.ts';
import { WrongTokens } from './wrong-tokens.ts';

export const sessionCookie = 'connectors_console';

const signInHint = 'Sign in, or present the admin token as a Bearer token.';

const readingMethods = new Set(['GET', 'HEAD']);

/** Whether this request was made by the console's own pages, or by no browser at all. */
export function isSameOrigin(request: FastifyRequest, origin: string): boolean {
  const { origin: stated, authorization } = request.headers;
  // A browser adds no Authorization header of its own, so a request that carries one is no forgery.
  if (stated === undefined) return authorization !== undefined;
  return stated === origin;
}

export interface GuardOptions {
  sessions: AdminSessions;
  wrongTokens: WrongTokens;
  /** Origin of the console, for example `https://console.example.com`. */
  origin: string;
  /** Whether requests other than reads are let through. */
  writable: boolean;
  log: Logger;
}

/** Lets the operator through, signed in by cookie or with the admin token as a Bearer token, and nobody else. */
export function guardConsole({ sessions, wrongTokens, origin, writable, log }: GuardOptions) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const isAdmin =
      bearer === undefined ? sessions.isOpen(request.cookies[sessionCookie]) : sessions.isAdminToken(bearer);
    if (!isAdmin) {
      if (bearer !== undefined) {
        if (wrongTokens.areTooMany(request, reply)) return answerProblem(reply, 429, WrongTokens.detail);
        wrongTokens.add(request);
        log.warn({ from: request.ip }, 'admin token refused');
      }
      return wantsPage(request)
        ? reply.redirect('/sign-in')
        : answerProblem(
            reply.header('www-authenticate', 'Bearer realm="connectors console"'),
            401,
            signInHint,
          );
    }
    if (readingMethods.has(request.method)) return undefined;
    if (!isSameOrigin(request, origin))
      return answerProblem(reply, 403, `This is only taken from pages of ${origin}.`);
    if (!writable)
      return answerProblem(reply, 403, 'The board is read-only; BOARD_WRITABLE=on changes that.');
    return undefined;
  };
}
