import type { FastifyInstance } from 'fastify';
import { sessionCookie } from './guard.ts';
import type { AdminSessions } from './session.ts';

export interface SignInOptions {
  sessions: AdminSessions;
  origin: string;
}

/** The page that trades the admin token for a session cookie. */
export function registerSignIn(app: FastifyInstance, { sessions, origin }: SignInOptions): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: 4096 },
    (_request, body, done) => done(null, new URLSearchParams(String(body))),
  );

  app.get('/sign-in', (_request, reply) => reply.headers(pageHeaders).send(page('')));

  app.post('/sign-in', (request, reply) => {
    // A foreign page must not sign a browser in either: its owner would act in a session chosen by somebody else.
    if (request.headers.origin !== origin)
      return reply
        .code(403)
        .headers(pageHeaders)
        .send(page(`Open ${origin} and sign in there.`));
    const token = request.body instanceof URLSearchParams ? request.body.get('token') : null;
    if (token === null || !sessions.isAdminToken(token))
      return reply.code(401).headers(pageHeaders).send(page('That is not the admin token.'));
    return reply
      .setCookie(sessionCookie, sessions.open(), {
        path: '/',
        httpOnly: true,
        sameSite: 'strict',
        secure: origin.startsWith('https:'),
      })
      .redirect('/board', 303);
  });

  app.post('/sign-out', (_request, reply) =>
    reply.clearCookie(sessionCookie, { path: '/' }).redirect('/sign-in', 303),
  );
}

const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
  'cache-control': 'no-store',
  'referrer-policy': 'same-origin',
};

function page(problem: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Connectors console</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  body { max-width: 24rem; margin: 20vh auto; padding: 0 1rem }
  label, input, button { display: block; width: 100%; box-sizing: border-box; font: inherit }
  input, button { margin: .5rem 0 1rem; padding: .5rem }
  [role=alert] { color: #c62828 }
</style>
<h1>Connectors console</h1>
<form method="post" action="/sign-in">
  <label for="token">Admin token</label>
  <input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
  <p role="alert">${problem}</p>
  <button>Sign in</button>
</form>
</html>`;
}
