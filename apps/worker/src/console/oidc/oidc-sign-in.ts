import { TokenRequestError } from '@connectors/oauth';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { AuthorizationResponseError } from 'openid-client';
import { ruleThatAllows, type ClaimRule } from './claim-rules.ts';
import { html, htmlType } from '../pages/html.ts';
import { noticePage, type Tone } from '../pages/layout.ts';
import { signedInPage } from '../pages/sign-in-page.ts';
import type { Claims, Issuer } from './issuer.ts';
import type { SignInAttempts } from './sign-in-attempts.ts';

const oidcPath = '/sign-in/oidc';
export const oidcCallbackPath = '/sign-in/callback';

const attemptCookie = 'connectors_sign_in';

export interface OidcSignInOptions {
  issuer: Issuer;
  allow: readonly ClaimRule[];
  attempts: SignInAttempts;
  /** Gives the browser a session. */
  openSession: (reply: FastifyReply) => FastifyReply;
  isSecure: boolean;
  log: Logger;
}

/** Signs operators in at an OpenID Connect issuer. */
export function registerOidcSignIn(app: FastifyInstance, options: OidcSignInOptions): void {
  const { issuer, attempts, isSecure, log } = options;
  const cookie = { path: '/sign-in', httpOnly: true, secure: isSecure, sameSite: 'lax' } as const;

  app.get(oidcPath, async (_request, reply) => {
    const { cookie: value, checks } = attempts.begin();
    try {
      const url = await issuer.authorizationUrl(checks);
      return reply.setCookie(attemptCookie, value, { ...cookie, maxAge: 600 }).redirect(url.href, 303);
    } catch (error) {
      log.warn({ reason: reasonOf(error) }, 'the issuer for operators does not answer');
      return refuse(reply, 'issuer_unavailable');
    }
  });

  app.get(oidcCallbackPath, async (request, reply) => {
    const checks = attempts.read(request.cookies[attemptCookie]);
    void reply.clearCookie(attemptCookie, cookie);
    // Another browser's answer, or one that was asked for too long ago, signs nobody in.
    if (checks === undefined) return refuse(reply, 'attempt_unknown');
    try {
      return await admit(
        options,
        request,
        reply,
        await issuer.claims(new URL(request.url, 'http://x').search, checks),
      );
    } catch (error) {
      log.warn({ from: request.ip, reason: reasonOf(error) }, 'sign-in refused');
      return refuse(reply, refusalOf(error));
    }
  });
}

async function admit(
  { allow, openSession, log }: OidcSignInOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  claims: Claims,
): Promise<FastifyReply> {
  const subject = String(claims['sub']);
  const rule = ruleThatAllows(claims, allow);
  if (rule === undefined) {
    log.warn({ from: request.ip, subject }, 'sign-in refused: no claim allows it');
    return refuse(reply, 'not_allowed');
  }
  log.info({ from: request.ip, subject, claim: rule.claim }, 'signed in');
  // A redirect would still count as the issuer's, and the cookie is for the console's own pages alone.
  return openSession(reply).type(htmlType).send(signedInPage());
}

interface Refusal {
  status: number;
  tone: Tone;
  title: string;
  next: string;
}

const refusals = {
  issuer_unavailable: {
    status: 503,
    tone: 'warning',
    title: 'The sign-in service does not answer',
    next: 'Try again in a moment, or sign in with the admin token.',
  },
  attempt_unknown: {
    status: 400,
    tone: 'warning',
    title: 'This sign-in is not known here',
    next: 'It was begun in another browser, or more than ten minutes ago. Please start again.',
  },
  consent_denied: {
    status: 403,
    tone: 'neutral',
    title: 'You were not signed in',
    next: 'The sign-in service said no. You may try again.',
  },
  answer_unsound: {
    status: 400,
    tone: 'bad',
    title: 'The sign-in could not be verified',
    next: 'Nobody was signed in. Please start again; the log of the worker names the reason.',
  },
  not_allowed: {
    status: 403,
    tone: 'bad',
    title: 'This account is not an operator',
    next: 'You are known to the sign-in service, but no rule of this console lets you in. Ask who runs it.',
  },
} satisfies Record<string, Refusal>;

function refuse(reply: FastifyReply, reason: keyof typeof refusals): FastifyReply {
  const { status, tone, title, next } = refusals[reason];
  return reply
    .code(status)
    .type(htmlType)
    .send(
      noticePage(
        tone,
        title,
        html`<p>${next}</p>
          <p><a class="button wide" href="/sign-in">Back to the sign-in</a></p>`,
      ),
    );
}

/** Whether the issuer said no, could not be asked, or said what proves nothing. */
function refusalOf(error: unknown): keyof typeof refusals {
  if (error instanceof AuthorizationResponseError)
    return isPassing(error.error) ? 'issuer_unavailable' : 'consent_denied';
  return causesOf(error).some((cause) => cause instanceof TokenRequestError)
    ? 'issuer_unavailable'
    : 'answer_unsound';
}

/** RFC 6749 4.1.2.1. */
function isPassing(error: string): boolean {
  return error === 'server_error' || error === 'temporarily_unavailable';
}

function causesOf(error: unknown): Error[] {
  return error instanceof Error ? [error, ...causesOf(error.cause)] : [];
}

/** A code for the log. The texts of errors may hold what the issuer says. */
function reasonOf(error: unknown): string {
  for (const cause of causesOf(error)) {
    if (cause instanceof TokenRequestError) return cause.code;
    if ('error' in cause && typeof cause.error === 'string') return codeOf(cause.error);
    if (!(cause.cause instanceof Error) && 'code' in cause) return String(cause.code);
  }
  return 'unknown';
}

/** RFC 6749 4.1.2.1 lets an error be almost any text; codes are words. */
function codeOf(error: string): string {
  return /^[a-z_]{1,40}$/.test(error) ? error : 'error_of_the_issuer';
}
