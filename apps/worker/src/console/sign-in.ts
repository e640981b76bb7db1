import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { FormLocks } from './form-locks.ts';
import { isSameOrigin, sessionCookie } from './guard.ts';
import type { TenantSessions } from './connect/tenant-session.ts';
import type { AdminSessions } from './session.ts';
import { htmlType } from './pages/html.ts';
import { signInPage, signOutPage } from './pages/sign-in-page.ts';
import { WrongTokens } from './wrong-tokens.ts';

export interface SignInOptions {
  sessions: AdminSessions;
  tenantSessions: TenantSessions;
  wrongTokens: WrongTokens;
  formLocks: FormLocks;
  origin: string;
  /** Host of the issuer that operators may sign in at. */
  issuerHost: string | undefined;
  log: Logger;
}

/** Lets this browser in until the session ends. */
export function openSession(reply: FastifyReply, sessions: AdminSessions, origin: string): FastifyReply {
  return reply.setCookie(sessionCookie, sessions.open(), {
    path: '/',
    httpOnly: true,
    sameSite: 'strict',
    secure: origin.startsWith('https:'),
  });
}

/** The pages that trade the admin token for a session cookie, and back. */
export function registerSignIn(app: FastifyInstance, options: SignInOptions): void {
  const { sessions, tenantSessions, wrongTokens, formLocks, origin, issuerHost, log } = options;
  const page = (problem: string): string => signInPage(problem, issuerHost);
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: 4096 },
    (_request, body, done) => done(null, new URLSearchParams(String(body))),
  );

  app.get('/sign-in', (_request, reply) => reply.type(htmlType).send(page('')));

  app.post('/sign-in', (request, reply) => {
    // A foreign page must not sign a browser in either: its owner would act in a session chosen by somebody else.
    if (!isSameOrigin(request, origin))
      return reply
        .code(403)
        .type(htmlType)
        .send(page(`Open ${origin} and sign in there.`));
    const token = request.body instanceof URLSearchParams ? request.body.get('token') : null;
    if (token === null || !sessions.isAdminToken(token)) {
      if (wrongTokens.areTooMany(request, reply))
        return reply.code(429).type(htmlType).send(page(WrongTokens.detail));
      if (token !== null) wrongTokens.add(request);
      log.warn({ from: request.ip }, 'sign-in refused');
      return reply.code(401).type(htmlType).send(page('That is not the admin token.'));
    }
    log.info({ from: request.ip }, 'signed in');
    return openSession(reply, sessions, origin).redirect('/', 303);
  });

  const signOut = ({ cookies }: FastifyRequest): string =>
    signOutPage(formLocks.field(cookies[sessionCookie] ?? ''));

  app.get('/sign-out', (request, reply) => reply.type(htmlType).send(signOut(request)));

  app.post('/sign-out', (request, reply) => {
    if (!formLocks.open(request, request.cookies[sessionCookie] ?? ''))
      return reply.code(403).type(htmlType).send(signOut(request));
    void reply.clearCookie(sessionCookie, { path: '/' });
    // An operator who connects is in a tenant's session as well.
    tenantSessions.close(reply);
    return reply.redirect('/sign-in', 303);
  });
}
